"""Tests of the selection: from a catalog, a task and a level to one model."""
