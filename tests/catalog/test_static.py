"""A mirror on a static host: asked whether it has changed before it is fetched again."""

import json

import pytest

from tests.net.loopback import CATALOG, STUB, allowed, answer
from zooselect.catalog.asked import Asked
from zooselect.catalog.parse import parse_models
from zooselect.catalog.static import StaticMirror, StoredMirror
from zooselect.errors import NetworkError, ServerError
from zooselect.net.client import Client
from zooselect.net.url import parse

pytestmark = allowed


@pytest.fixture
def mirror():
    """Open the mirror at a URL."""
    clients = []

    def opened(url, now=100):
        address = parse(url)
        clients.append(Client(address, timeout=2, patience=0))
        return StaticMirror(address, lambda: clients[-1], lambda: now)

    yield opened
    for one in clients:
        one.close()


def test_an_answer(mirror, loopback):
    server = loopback(answer(CATALOG, ETag='"1"', Last_Modified="Fri, 15 Jan 2027 08:00:00 GMT"))
    found = mirror(server.url + "/zoo/").ask(Asked())
    assert [one.stub for one in parse_models(found.models).records] == [STUB]
    assert (found.source, found.location) == ("mirror", server.url + "/zoo/catalog.json")
    assert (found.compiled, found.etag, found.fetched_at) == ("2026-01-02", '"1"', 100)
    assert not {"if-none-match", "if-modified-since"} & set(server.requests[0].headers)


@pytest.mark.parametrize(
    ("url", "asked", "files"),
    [
        ("http://zoo", "http://zoo/catalog.json", "http://zoo"),
        ("http://zoo/a/", "http://zoo/a/catalog.json", "http://zoo/a"),
        ("http://zoo/a/catalog.json", "http://zoo/a/catalog.json", "http://zoo/a"),
        ("http://zoo/a/other.json?sig=1", "http://zoo/a/other.json", "http://zoo/a"),
    ],
)
def test_where_it_is(mirror, url, asked, files):
    one = mirror(url)
    assert (one.location, one.files.place) == (asked, files)
    assert "sig" not in one.key


def test_signatures_that_differ_are_other_places(mirror):
    keys = {mirror("http://zoo/catalog.json" + query).key for query in ("", "?a=1", "?a=2")}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("validators", "sent"),
    [
        ({"ETag": '"1"'}, {"if-none-match": '"1"'}),
        ({"ETag": '"1"', "Last-Modified": "yesterday"}, {"if-none-match": '"1"'}),
        ({"Last-Modified": "yesterday"}, {"if-modified-since": "yesterday"}),
        # What cannot be sent back would fail every request after this one.
        ({"ETag": '"\xff"'}, {}),
        ({}, {}),
    ],
)
def test_what_has_not_changed_is_not_fetched_again(mirror, loopback, validators, sent):
    server = loopback(answer(CATALOG, **validators))
    first = mirror(server.url).ask(Asked())
    server.then(answer(status="304 Not Modified") if sent else answer(CATALOG))
    again = mirror(server.url, now=900).ask(Asked(), first)
    assert again == first._replace(fetched_at=900)
    headers = server.requests[1].headers
    kept = {name: headers[name] for name in headers if name.startswith("if-")}
    assert kept == sent


def test_what_has_changed_is_fetched(mirror, loopback):
    server = loopback(answer(CATALOG, ETag='"1"'))
    first = mirror(server.url).ask(Asked())
    other = CATALOG.replace(b"2026-01-02", b"2026-02-03")
    server.then(answer(other, ETag='"2"'))
    again = mirror(server.url).ask(Asked(), first)
    assert (again.compiled, again.etag) == ("2026-02-03", '"2"')
    assert again.digest != first.digest


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", CATALOG[:-3], b"[]", b"{}", b'{"schema": 2, "models": []}',
     b'{"schema": 1, "models": {}}', b'{"schema": 1, "models": [{"stub": "x"}]}', b"\xff\xfe{"],
)  # fmt: skip
def test_what_is_no_catalog(mirror, loopback, content):
    server = loopback(answer(content))
    with pytest.raises(ServerError) as error:
        mirror(server.url).ask(Asked())
    assert server.url in error.value.message
    assert error.value.hint == "is this the URL of a mirror?"


def test_numbers_that_are_none_do_not_keep_it_from_being_kept(mirror, loopback):
    content = CATALOG.replace(b'"models"', b'"odd": 1e999, "models"').replace(
        b"}]", b', "sparsity_percent": NaN}]'
    )
    found = mirror(loopback(answer(content)).url).ask(Asked())
    json.dumps(found.to_dict(), allow_nan=False)
    assert len(parse_models(found.models).records) == 1


def test_a_stored_mirror_that_is_not_there(tmp_path):
    url = f"file://{tmp_path}/nothing"
    with pytest.raises(NetworkError, match=r"no mirror at file://.*catalog\.json"):
        StoredMirror(url).ask(Asked())


def test_a_stored_mirror(tmp_path):
    (tmp_path / "catalog.json").write_bytes(CATALOG)
    found = StoredMirror(f"file://{tmp_path}/", lambda: 7.5).ask(Asked())
    assert (found.location, found.fetched_at) == (f"file://{tmp_path}", 7)
    assert [one.stub for one in parse_models(found.models).records] == [STUB]


def test_a_stored_mirror_tells_no_credentials():
    one = StoredMirror("ftp://me:secret@zoo/a/")
    assert (one.location, one.key) == ("ftp://zoo/a", "ftp://zoo/a")
    assert one.files.place == "ftp://me:secret@zoo/a"
