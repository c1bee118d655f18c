"""Addresses: what is one, what it shows, where it leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect import UsageError
from zooselect.net.url import parse, parse_configured


@pytest.mark.parametrize(
    ("text", "url", "origin", "host"),
    [
        ("http://zoo", "http://zoo", ("http", "zoo", 80), "zoo"),
        ("HTTPS://Zoo.Example/a", "https://Zoo.Example/a", ("https", "zoo.example", 443),
         "zoo.example"),
        ("http://zoo:8000/a?b=c#d", "http://zoo:8000/a?b=c", ("http", "zoo", 8000), "zoo:8000"),
        ("https://zoo:443/", "https://zoo:443/", ("https", "zoo", 443), "zoo"),
        ("http://[::1]:9/", "http://[::1]:9/", ("http", "::1", 9), "[::1]:9"),
    ],
)  # fmt: skip
def test_parts(text, url, origin, host):
    address = parse(text)
    assert address == (url, origin, None)
    assert address.host == host


def test_credentials_are_taken_out():
    address = parse("https://us%40er:p%3Aass@zoo/a?sig=secret")
    assert address.credentials == ("us@er", "p:ass")
    assert address.url == "https://zoo/a?sig=secret"
    assert address.shown == "https://zoo/a"


@pytest.mark.parametrize(
    "text",
    [
        "", "zoo", "//zoo", "ftp://zoo", "file:///etc/passwd", "http:///a", "http://", "http://:80",
        "http://zoo:port", "http://zoo:99999", "http://[::1", "http://zoo/a b", "http://zoo/\n",
        "http://zoo\\@other", "http://zoö", "http://zoo/" + "a" * 9000,
    ],
)  # fmt: skip
def test_no_address(text):
    with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
        parse(text)
    with pytest.raises(UsageError, match=r"^the API's URL .* is not a URL of a server"):
        parse_configured(text, "the API's URL")


@pytest.mark.parametrize(
    "text",
    ["ftp://me:secret@zoo", "http://me:secret@zoo:port", "http://me:secret/@zoo",
     "http://zoo:port/?sig=secret", "me:secret@zoo"],
)  # fmt: skip
def test_a_refusal_tells_no_secret(text):
    with pytest.raises(UsageError) as told:
        parse_configured(text, "the API's URL")
    assert "secret" not in told.value.message + told.value.hint


def test_below_and_above():
    address = parse("http://zoo/a/?sig=1")
    assert address.below("v2/graphql").url == "http://zoo/a/v2/graphql?sig=1"
    assert parse("http://zoo").below("/x").url == "http://zoo/x"
    assert parse("http://zoo/a/catalog.json?sig=1").above().url == "http://zoo/a?sig=1"
    assert parse("http://me:secret@zoo/a").below("b").credentials == ("me", "secret")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "http://zoo/b"),
        ("c?x=1", "http://zoo/a/c?x=1"),
        ("//other/d", "http://other/d"),
        (" https://other:1/e ", "https://other:1/e"),
        ("", "http://zoo/a/b"),
    ],
)
def test_redirected(location, url):
    assert parse("http://zoo/a/b").redirected(location).url == url


def test_redirects_carry_no_credentials():
    address = parse("http://me:secret@zoo/a")
    assert address.redirected("/b").credentials is None
    assert address.redirected("http://x:y@zoo/b") == ("http://zoo/b", ("http", "zoo", 80), None)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "javascript:x", "/ä", "/a b"])
def test_redirects_that_lead_nowhere(location):
    with pytest.raises(ValueError):  # noqa: PT011
        parse("http://zoo/a").redirected(location)


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text):
    for one in (text, "http://" + text, "http://zoo/" + text):
        try:
            address = parse(one)
        except ValueError:
            continue
        assert address.origin[0] in ("http", "https")
        assert address.host
