"""Settings from the environment."""

import pytest

from zooselect import UsageError
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


def test_defaults():
    assert Settings.from_env({}) == Settings()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"ZOOSELECT_API_URL": "http://a"}, "http://a"),
        ({"SPARSEZOO_API_URL": "http://b"}, "http://b"),
        ({"ZOOSELECT_API_URL": "http://a", "SPARSEZOO_API_URL": "http://b"}, "http://a"),
        ({"ZOOSELECT_API_URL": "", "SPARSEZOO_API_URL": "http://b"}, "http://b"),
    ],
)
def test_api_url(environ, url):
    assert Settings.from_env(environ).api_url == url


@pytest.mark.parametrize("name", ["offline", "refresh", "no_fallback"])
@pytest.mark.parametrize(
    ("text", "on"), [("", False), ("1", True), ("TRUE", True), (" on ", True), ("no", False)]
)
def test_switches(name, text, on):
    assert getattr(Settings.from_env({f"ZOOSELECT_{name.upper()}": text}), name) is on


@pytest.mark.parametrize("text", ["2", "oui", "-1", "1 0"])
def test_what_is_no_switch(text):
    with pytest.raises(UsageError, match=r"ZOOSELECT_OFFLINE is .*, neither on nor off"):
        Settings.from_env({"ZOOSELECT_OFFLINE": text})


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("CACHE_TTL", "0", "cache_ttl", 0),
        ("CACHE_TTL", " 1e3 ", "cache_ttl", 1000),
        ("TIMEOUT", "0.5", "timeout", 0.5),
        ("RETRY_BUDGET", "0", "patience", 0),
    ],
)
def test_seconds(name, text, field, value):
    assert getattr(Settings.from_env({f"ZOOSELECT_{name}": text}), field) == value


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "a day", "1e99"])
@pytest.mark.parametrize("name", ["CACHE_TTL", "TIMEOUT", "RETRY_BUDGET"])
def test_what_is_no_number_of_seconds(name, text):
    with pytest.raises(UsageError, match=f"ZOOSELECT_{name} is .*, not a number of seconds"):
        Settings.from_env({f"ZOOSELECT_{name}": text})


def test_a_time_out_of_nothing_is_none():
    with pytest.raises(UsageError):
        Settings.from_env({"ZOOSELECT_TIMEOUT": "0"})
