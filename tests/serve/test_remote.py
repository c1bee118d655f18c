"""A mirror in an object store is served as one in a folder is."""

import hashlib
import json
import logging
import os
import signal
import sys
import threading
import time

import pytest

from tests.object_store import loopback, needs_s3, running
from tests.serve.test_process import Running
from tests.serve.zoos import BASE, ask, model, write
from zooselect import IntegrityError, LocalFileError, UsageError
from zooselect.mirror.remote import AHEAD, open_store
from zooselect.mirror.store import Mirror
from zooselect.serve import app as app_module
from zooselect.serve.app import Server

pytestmark = [needs_s3, loopback]

CONTENT = os.urandom(AHEAD * 2 + 12345)
SIZE = len(CONTENT)
#: Few: each is a request to a store that is in no hurry.
FILES = {"model.onnx": CONTENT, "recipe.md": b"recipe", "training/weights.pth": b"weights"}
URL = "s3://bucket/zoo"
PATH = "/v2/models/m1/files/model.onnx"
KEY = "bucket/zoo/models/m1/model.onnx"
LARGE = 24 << 20


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A running object store."""
    with running(tmp_path_factory.mktemp("store")) as one:
        yield one


@pytest.fixture(scope="module")
def bucket(store):
    """The file system of the store, as others use it."""
    import s3fs

    files = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    files.mkdir("bucket")
    return files


@pytest.fixture
def local(tmp_path, bucket):
    """A mirror in a folder; the same one is in the store."""
    mirror = write(
        tmp_path / "zoo",
        model(BASE + "base-none", FILES, model_id="m1"),
        model(BASE + "pruned-none", {"model.onnx": b"network"}, model_id="m2"),
    )
    upload(bucket, mirror)
    return mirror


@pytest.fixture
def app(local):
    return Server(open_store(URL))


def upload(bucket, mirror):
    for path in mirror.root.rglob("*"):
        if path.is_file():
            name = path.relative_to(mirror.root).as_posix()
            bucket.pipe_file(f"bucket/zoo/{name}", path.read_bytes())


def test_everything_is_answered_as_from_a_folder(app, local):
    folder = Server(local)
    query = "{ models { modelId repoName files { displayName downloadUrl } } }"
    requests = [
        ("POST", "/v2/graphql", {}, json.dumps({"query": query}).encode()),
        ("GET", "/healthz", {}, b""),
        ("GET", "/catalog.json", {}, b""),
        ("GET", "/models/search/cv/classification", {}, b""),
        ("GET", "/models/download/" + BASE.removeprefix("zoo:") + "base-none", {}, b""),
        ("GET", "/secret", {}, b""),
        ("GET", "/models/m1/../../catalog.json", {}, b""),
        *((method, f"/v2/models/m1/files/{name}", {}, b"")
          for name in (*FILES, "weights.pth", "no-such-file") for method in ("HEAD", "GET")),
        *(("GET", PATH, {"range": f"bytes={part}"}, b"")
          for part in ("0-0", f"0-{SIZE}", "-1", f"{SIZE}-{SIZE}", f"{AHEAD - 1}-{AHEAD + 1}",
                       f"{SIZE - 5}-", "0-5,7-9", "5-2")),
        ("GET", PATH, {"if-none-match": "*"}, b""),
    ]  # fmt: skip
    for method, path, headers, body in requests:
        answer = ask(app, method, path, headers, body=body)
        assert answer == ask(folder, method, path, headers, body=body), (method, path, headers)
    assert ask(app, "GET", PATH).body == CONTENT


def test_bodies_are_fetched_in_pieces(app, store):
    before = len(store.requests("GET"))
    assert ask(app, "GET", PATH).body == CONTENT
    assert 2 <= len(store.requests("GET")) - before <= SIZE // AHEAD + 1
    before = len(store.requests("GET"))
    ask(app, "HEAD", PATH)
    ask(app, "GET", PATH, {"if-none-match": "*"})
    assert len(store.requests("GET")) == before


def test_a_changed_mirror_is_picked_up(app, local, bucket):
    write(local.root, model(BASE + "base-none", {"recipe.md": b"new"}, model_id="m9"))
    upload(bucket, local)
    assert ask(app, "GET", "/healthz").json["models"] == 2  # not looked at for every request
    app._looked = 0
    assert ask(app, "GET", "/healthz").json["models"] == 1
    assert ask(app, "GET", "/v2/models/m9/files/recipe.md").body == b"new"


@pytest.mark.parametrize("content", [None, b"", b"{"])
def test_a_broken_mirror_leaves_what_was(app, local, bucket, content, caplog):
    if content is None:
        bucket.rm_file("bucket/zoo/catalog.json")
    else:
        bucket.pipe_file("bucket/zoo/catalog.json", content)
    with caplog.at_level(logging.WARNING, "zooselect.serve"):
        for _ in range(2):
            app._looked = 0
            assert ask(app, "GET", "/healthz").json["models"] == 2
    assert len(caplog.records) == 1
    upload(bucket, local)
    app._looked = 0
    assert ask(app, "GET", "/healthz").json["models"] == 2
    assert app._stamp == app._mirror.stamp()


def test_a_store_that_hangs_holds_up_nobody(app, monkeypatch):
    waiting = threading.Event()
    monkeypatch.setattr(app_module, "_LOOK_TIMEOUT", 0.05)
    monkeypatch.setattr(type(app._mirror), "stamp", lambda self: waiting.wait(0.5))
    start, app._looked = time.monotonic(), 0
    assert ask(app, "GET", "/healthz").json["models"] == 2
    assert time.monotonic() - start < 5


def test_a_damaged_file_is_never_taken_for_the_file(app, bucket):
    for content in (b"", CONTENT[:-1], CONTENT + b"x", b"<Error/>", None):
        bucket.rm_file(KEY) if content is None else bucket.pipe_file(KEY, content)
        for hold in (True, False):
            head = ask(app, "HEAD", PATH, hold=hold)
            assert (head.status, head.headers["content-length"]) == (500, "0")
            for headers in ({}, {"range": "bytes=0-5"}):
                answer = ask(app, "GET", PATH, headers, hold=hold)
                assert (answer.dropped, answer.body) == (True, b"")


@pytest.mark.parametrize("content", [None, b"", CONTENT[::-1]])
def test_a_file_that_goes_while_it_is_sent(app, bucket, content):
    sent = []

    async def damaging(scope, receive, send):
        async def damaged(message):
            sent.append(message)
            if len(sent) == 2:
                bucket.rm_file(KEY) if content is None else bucket.pipe_file(KEY, content)
            await send(message)

        await app(scope, receive, damaged)

    answer = ask(damaging, "GET", PATH)
    assert answer.dropped
    assert 0 < len(answer.body) < SIZE
    assert CONTENT.startswith(answer.body)
    assert answer.headers["content-length"] == str(SIZE)


def test_a_folder_by_its_url(local):
    assert open_store(local.root.as_uri()) == Mirror(local.root)


def test_what_is_no_mirror(bucket, tmp_path):
    bucket.pipe_file("bucket/bad/catalog.json", b"[]")
    with pytest.raises(IntegrityError, match="s3://bucket/bad is not a schema 1 catalog"):
        open_store("s3://bucket/bad")
    for url in ("s3://bucket/none", "s3://no-such-bucket/zoo", tmp_path.as_uri()):
        with pytest.raises(LocalFileError, match=r"no mirror .*catalog\.json"):
            open_store(url)
    with pytest.raises(UsageError) as caught:
        open_store("no-such-kind://x/y")
    assert "fsspec knows" in str(caught.value.hint)  # nothing to install helps


def test_the_command_line_says_what_is_missing(bucket, cli):
    done = cli("serve", "s3://bucket/none")
    assert (done.code, done.out, len(done.errors)) == (7, "", 1)
    assert cli("serve", "no-such-kind://x").code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_in_bounded_memory(local, bucket, tmp_path):
    large = os.urandom(LARGE)
    write(local.root, model(BASE + "base-none", {"model.onnx": large}, model_id="m1"))
    upload(bucket, local)
    server = Running(URL, tmp_path / "log")
    try:
        server.get("/v2/models/m1/files/model.onnx", range="bytes=0-5")
        before, found = server.memory, []

        def download():
            body = server.get("/v2/models/m1/files/model.onnx").partition(b"\r\n\r\n")[2]
            found.append(hashlib.sha256(body).digest())

        threads = [threading.Thread(target=download) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [hashlib.sha256(large).digest()] * 3
        assert server.memory - before < LARGE / 2**20
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) in (0, -signal.SIGTERM)
        assert "Traceback" not in server.log
    finally:
        server.stop()
