"""The lock file: what was resolved, pinned, and what has drifted since."""
