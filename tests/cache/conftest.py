"""A cache in a folder of its own."""

import os
import tempfile
from pathlib import Path

import pytest

from zooselect.cache.answers import AnswerCache

MEMORY = Path("/dev/shm")


@pytest.fixture
def root(tmp_path):
    """In memory where there is such a place: sqlite waits for a disk at every write."""
    folder = MEMORY if os.access(MEMORY, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(prefix="zooselect-test-", dir=folder) as name:
        yield Path(name, "cache")


@pytest.fixture
def cache(root):
    return AnswerCache(root)
