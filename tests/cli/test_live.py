"""Commands that ask a server: what they say when it fails, and what they never tell."""

import json

import pytest

from tests.net.loopback import (
    CATALOG,
    ROWS,
    STUB,
    allowed,
    answer,
    closed_port,
    dripping,
    hanging,
    reset,
)
from zooselect.net import client as client_module

pytestmark = allowed

KINDS = {"api": ("--api-url", answer(ROWS)), "mirror": ("--catalog", answer(CATALOG))}
COMMANDS = {
    "resolve": ("resolve", "ic"),
    "one-shot": ("resolve", "ic", "--mode", "one-shot", "--model", STUB, "--force"),
    "training-aware": ("resolve", "ic", "--mode", "training-aware", "--model", STUB, "--force"),
    "levels": ("levels", "ic"),
    "search": ("search", "ic"),
    "search all": ("search",),
    "show": ("show", STUB),
    "show v2": ("show", "zoo:resnet_v1-50-imagenet-pruned95_quantized"),
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch, tmp_path):
    """A cache of its own, and no waiting."""
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ZOOSELECT_TIMEOUT", "0.4")
    monkeypatch.setenv("ZOOSELECT_RETRY_BUDGET", "0")
    monkeypatch.setattr(client_module, "ANSWER_WITHIN", 0.6)


def page(text, status="200 OK", **headers):
    return answer(text.encode(), status, Content_Type="text/html", **headers)


#: What a server may do instead of answering.
FAILURES = {
    "reset": reset,
    "nothing": b"",
    "hang": hanging(),
    "headers drip": dripping(b"HTTP/1.1 200 OK\r\nX-Drip: "),
    "body stalls": hanging(answer(b'{"data"', Content_Length=100)),
    "body drips": dripping(answer(b"", Content_Length=10**6), b" "),
    "body cut": answer(ROWS[:-5], Content_Length=len(ROWS)),
    "wrong encoding": answer(ROWS, Content_Encoding="gzip"),
    "html": page("<html>Welcome to the hotel</html>"),
    "empty": answer(b""),
    "null": answer(b"null"),
    "json cut": answer(ROWS[:-5]),
    "not utf-8": answer(b'{"\xff": 1}'),
    "too deep": answer(b"[" * 100_000),
    "401": page("who?", "401 Unauthorized"),
    "404": page("<h1>nothing</h1>", "404 Not Found"),
    "500": page("oops\x1b[2J\r\nerror: forged", "500 Oops"),
    "503, later": page("", "503 Busy", Retry_After="7"),
    "429, odd": page("", "429 Slow", Retry_After="soon"),
    "redirect: file": answer(status="302 A", Location="file:///etc/passwd"),
    "redirect: nowhere": answer(status="302 A"),
    "redirect: circle": answer(status="308 A", Location="/v2/graphql"),
    "304 to who never asked": answer(status="304 Not Modified"),
    "no content": answer(status="204 No Content"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAILURES)
def test_a_server_that_fails(cli, loopback, name, kind):
    option, _ = KINDS[kind]
    server = loopback(FAILURES[name])
    failed = cli("resolve", "ic", option, server.url, "--no-fallback")
    assert (failed.code, failed.out) == (5, "")
    error, hint = failed.err.splitlines()
    assert error.startswith("error: ")
    assert server.host in error
    assert hint.startswith("hint: ")
    embedded = cli("resolve", "ic", "--json").json
    stood_in = cli("resolve", "ic", option, server.url, "--json")
    assert stood_in.code == 0
    note = stood_in.err.splitlines()[0]
    assert note.startswith("note: ")
    assert "; answering from the catalog inside the package, of " in note
    told = stood_in.json
    instead = told["provenance"].pop("instead_of")
    assert instead["location"].startswith(server.url)
    assert instead["reason"] in note.encode().decode("unicode_escape")
    del embedded["provenance"]["instead_of"]
    assert told == embedded


def test_nobody_listens(cli):
    done = cli("resolve", "ic", "--api-url", f"http://127.0.0.1:{closed_port()}", "--no-fallback")
    assert (done.code, len(done.errors), "refused" in done.err) == (5, 1, True)


def test_a_failure_as_json(cli, loopback):
    server = loopback(page("", "500 Oops"))
    done = cli("resolve", "ic", "--api-url", server.url, "--no-fallback", "--json")
    error = done.json["error"]
    assert (error["type"], error["exit_code"], done.code) == ("ServerError", 5, 5)
    assert error["message"].startswith(f"{server.url}/v2/graphql answers with status 500")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_its_provenance(cli, loopback, command, kind):
    option, good = KINDS[kind]
    if (command, kind) == ("show v2", "mirror"):
        good = answer(
            CATALOG.replace(b'"}]', b'", "stub_v2": "' + COMMANDS[command][1].encode() + b'"}]')
        )
    server = loopback(good)
    arguments = (*COMMANDS[command], option, server.url, "--json")

    def asked(*more, code=0):
        done = cli(*arguments, *more)
        assert done.code == code
        document = done.json
        return document, document.pop("provenance", None), done.err

    live, first, _ = asked()
    assert (first["source"], first["from_cache"], first["stale"]) == (kind, False, False)
    assert first["location"].startswith(server.url)
    assert first["instead_of"] is None
    assert first["digest"].startswith("sha256:")
    kept = {**first, "from_cache": True}
    server.then(reset)
    for more in ((), ("--offline",), ("--no-fallback",), ("--offline", "--no-fallback")):
        document, provenance, err = asked(*more)
        assert document == live
        assert {**provenance, "age_seconds": first["age_seconds"]} == kept
        assert "answering" not in err
    for failure in (reset, hanging()):
        server.then(failure)
        document, provenance, err = asked("--refresh")
        assert document == live
        assert provenance["from_cache"]
        assert provenance["instead_of"]["location"] == first["location"]
        assert "; answering from its answer of " in err
    failed, _, _ = asked("--refresh", "--no-fallback", code=5)
    assert failed["error"]["exit_code"] == 5


@pytest.mark.parametrize("kind", KINDS)
def test_offline_with_nothing_kept(cli, loopback, kind):
    option, good = KINDS[kind]
    server = loopback(good)
    done = cli("resolve", "ic", option, server.url, "--offline")
    assert done.code == 0
    assert done.err.startswith("note: offline, and no answer of ")
    done = cli("resolve", "ic", option, server.url, "--offline", "--no-fallback")
    assert (done.code, len(done.errors)) == (4, 1)
    assert server.requests == []
    # What stood in was not kept as if it were the server's.
    assert cli("resolve", "ic", option, server.url).out == STUB + "\n"


def test_offline_and_refresh_contradict_each_other(cli):
    assert cli("resolve", "ic", "--offline", "--refresh").code == 2


def test_switches_of_the_environment(cli, loopback, monkeypatch):
    server = loopback(answer(ROWS))
    monkeypatch.setenv("SPARSEZOO_API_URL", server.url)
    assert cli("resolve", "ic").out == STUB + "\n"
    monkeypatch.setenv("ZOOSELECT_OFFLINE", "1")
    assert cli("resolve", "ic", "--json").json["provenance"]["from_cache"]
    monkeypatch.setenv("ZOOSELECT_OFFLINE", "0")
    assert len(server.requests) == 1
    monkeypatch.setenv("ZOOSELECT_REFRESH", "1")
    cli("resolve", "ic")
    assert len(server.requests) == 2
    monkeypatch.delenv("ZOOSELECT_REFRESH")
    monkeypatch.setenv("ZOOSELECT_CACHE_TTL", "0")
    provenance = cli("resolve", "ic", "--json").json["provenance"]
    assert (provenance["from_cache"], provenance["stale"], len(server.requests)) == (
        False,
        False,
        3,
    )
    server.then(reset)
    provenance = cli("resolve", "ic", "--json").json["provenance"]
    assert (provenance["from_cache"], provenance["stale"]) == (True, True)
    monkeypatch.setenv("ZOOSELECT_NO_FALLBACK", "1")
    assert cli("resolve", "ic").code == 5


def test_one_request_for_one_selection(cli, loopback):
    server = loopback(answer(ROWS))
    assert cli("resolve", "ic", "--api-url", server.url + "/prefix/").out == STUB + "\n"
    (request,) = server.requests
    assert request[:2] == ("POST", "/prefix/v2/graphql")
    assert request.headers["content-type"] == "application/json"
    assert list(json.loads(request.body)) == ["query"]


def test_a_catalog_comes_before_an_api(cli, catalog_file, loopback, monkeypatch):
    server = loopback(answer(ROWS))
    path = catalog_file([{"stub": STUB}])
    done = cli("resolve", "ic", "--catalog", path, "--api-url", server.url)
    assert (done.out, done.err.count("the API is not asked")) == (STUB + "\n", 1)
    assert server.requests == []


@pytest.mark.parametrize("url", ["ftp://zoo", "zoo.example", "http://me:secret@zoo:port"])
def test_no_url_of_a_server(cli, url):
    done = cli("resolve", "ic", "--api-url", url)
    assert (done.code, done.out, len(done.errors)) == (2, "", 1)
    assert "secret" not in done.err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("works", [True, False])
def test_what_is_hushed_is_told_to_nobody_else(cli, loopback, monkeypatch, tmp_path, kind, works):
    option, good = KINDS[kind]
    server = loopback(good if works else page("", "403 No"))
    monkeypatch.setenv("ZOOSELECT_API_TOKEN", "hush-token")
    url = f"http://me:hush-password@{server.host}/?signature=hush-signature"
    told = ""
    for more in (("--verbose",), ("--json",), ("--explain", "--no-fallback"), ("--offline",)):
        done = cli("resolve", "ic", option, url, *more)
        told += done.out + done.err
    listed = cli("cache", "ls", "--json")
    told += listed.out + listed.err
    assert "hush-" not in told
    assert server.requests[0].headers["authorization"] == "Bearer hush-token"
    assert server.requests[0].target.endswith("?signature=hush-signature")
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert bool(kept) == works
    assert not any(b"hush-" in content for content in kept)


def test_a_cache_that_is_damaged_is_no_answer(cli, loopback, tmp_path):
    server = loopback(answer(ROWS))
    arguments = ("resolve", "ic", "--api-url", server.url, "--no-fallback")
    assert cli(*arguments).code == 0
    (database,) = (tmp_path / "cache").rglob("cache.db")
    database.write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert cli(*arguments, "--offline").code == 4
    assert cli(*arguments).out == STUB + "\n"
    assert len(server.requests) == 2
    assert cli(*arguments, "--offline").out == STUB + "\n"


def test_a_cache_that_cannot_be_written(cli, loopback, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(tmp_path / "file"))
    server = loopback(answer(ROWS))
    for _ in range(2):
        done = cli("resolve", "ic", "--api-url", server.url, "--no-fallback")
        assert (done.code, done.out, done.err) == (0, STUB + "\n", "")
    assert len(server.requests) == 2


def test_what_the_server_says_of_itself_is_told(cli, loopback):
    document = {**json.loads(ROWS), "errors": [{"message": "a shard\nis down"}]}
    server = loopback(*[answer(json.dumps(document).encode())] * 3)
    for more in ((), ("--json",)):
        done = cli("resolve", "ic", "--api-url", server.url, *more)
        assert done.code == 0
        assert "note: the server: a shard is down\n" in done.err
    # It was not all, and is not kept for a day.
    assert len(server.requests) == 2
    assert cli("resolve", "ic", "--api-url", server.url, "--quiet").err == ""


def test_the_name_that_means_several_is_the_v2_name(cli, loopback):
    row = json.loads(ROWS)["data"]["models"][0]
    rows = [row, {**row, "trainingScheme": "augmented"}]
    server = loopback(answer(json.dumps({"data": {"models": rows}}).encode()))
    done = cli("resolve", "ic", "--api-url", server.url)
    assert done.out.startswith("zoo:cv/")
    assert "note: its v2 name may mean any of: zoo:cv/" in done.err
