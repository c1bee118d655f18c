"""A cache in a folder of its own."""

import pytest

from zooselect.cache.answers import AnswerCache


@pytest.fixture
def root(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def cache(root):
    return AnswerCache(root)
