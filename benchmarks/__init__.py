"""What the README promises of speed and size, measured: `make bench`."""
