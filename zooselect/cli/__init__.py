"""The command line: `main` runs it, one module a command, `options` what they share."""
