"""Finding stubs in files, and saying which of them still mean something."""
