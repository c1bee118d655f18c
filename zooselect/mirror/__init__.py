"""A mirror: a plain folder that is a zoo again. `docs/mirror.md` describes it."""
