"""Settings from the environment."""

import pytest

from zooselect.settings import Settings


@pytest.mark.parametrize(
    ("environ", "catalog"),
    [
        ({}, None),
        ({"ZOOSELECT_CATALOG": ""}, None),
        ({"ZOOSELECT_CATALOG": "a.json"}, "a.json"),
        ({"zooselect_catalog": "a.json"}, None),
    ],
)
def test_catalog(environ, catalog):
    assert Settings.from_env(environ).catalog == catalog


def test_cache_dir():
    assert Settings.from_env({"ZOOSELECT_CACHE_DIR": "~/a"}).cache_dir == "~/a"
    assert Settings.from_env({"ZOOSELECT_CACHE_DIR": ""}).cache_dir is None


def test_the_process_environment_is_read_each_time(monkeypatch):
    assert Settings.from_env().catalog is None
    monkeypatch.setenv("ZOOSELECT_CATALOG", "b.json")
    assert Settings.from_env().catalog == "b.json"
