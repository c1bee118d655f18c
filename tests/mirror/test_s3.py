"""A mirror is exported to an object store that speaks S3, and read from there."""

import signal
import socket
import subprocess
import sys

import pytest

from tests.mirror.samples import V1, V2, everything, files_of, new, put, write
from tests.object_store import loopback, needs_s3, running
from zooselect import LocalFileError
from zooselect.mirror.export import destination, export
from zooselect.mirror.remote import open_store
from zooselect.mirror.store import Mirror, parse_catalog
from zooselect.mirror.verify import verify

pytestmark = [needs_s3, loopback]

#: Few: each is a request to a store that is in no hurry.
FILES = ("model.onnx", "recipe.md", "deployment/model.onnx", "deployment/config.json")
OTHER = "zoo:other-imagenet-base"
URL = "s3://bucket/zoo"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A running object store."""
    with running(tmp_path_factory.mktemp("store")) as one:
        yield one


@pytest.fixture(scope="module")
def files(store):
    """The file system of the store, as another process has it: of its own."""
    import s3fs

    return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)


@pytest.fixture
def bucket(files):
    """The file system of the store, with an empty bucket."""
    if files.exists("bucket"):
        files.rm("bucket", recursive=True)
    files.mkdir("bucket")
    return files


@pytest.fixture
def mirror(tmp_path):
    """A mirror of two models."""
    made = new(tmp_path / "zoo")
    put(made, V1, write(tmp_path / "model", few()), alias=V2)
    put(made, OTHER, tmp_path / "model")
    return made


def few(seed=0):
    """The files of a model."""
    return {name: content for name, content in files_of(seed).items() if name in FILES}


def stored(bucket):
    """All of the exported mirror, by path in it."""
    found = {path: bucket.cat_file(path) for path in bucket.find("bucket/zoo")}
    return {path.removeprefix("bucket/zoo/"): content for path, content in found.items()}


def test_all_of_it_and_the_catalog_last(mirror, bucket, store):
    before = len(store.requests("PUT"))
    done = export(mirror, destination(URL))
    assert (done.models, done.copied, done.present) == (2, 2 * len(FILES), 0)
    assert stored(bucket) == everything(mirror.root)
    written = store.requests("PUT")[before:]
    assert len(written) == done.copied + 2 + 1
    assert written[-1] == "/bucket/zoo/catalog.json"
    assert len(parse_catalog(open_store(URL).content(), URL).models) == 2


def test_a_second_run_writes_nothing(mirror, bucket, store, tmp_path):
    export(mirror, destination(URL))
    before, stamp = len(store.requests("PUT")), open_store(URL).stamp()
    assert export(mirror, destination(URL)).copied == 0
    assert store.requests("PUT")[before:] == []
    assert open_store(URL).stamp() == stamp
    put(mirror, OTHER, write(tmp_path / "new", few(1)), replace=True)
    assert export(mirror, destination(URL)).copied == len(FILES)
    assert open_store(URL).stamp() != stamp
    # What readers of the catalog before were promised is still there.
    assert set(stored(bucket)) > set(everything(mirror.root))


def test_one_that_was_killed_goes_on(mirror, bucket, store):
    code = (
        "import time, sys\n"
        "from zooselect.mirror import export\n"
        "real, left = export._Remote.copy, [6]\n"
        "def slow(self, *args):\n"
        "    left[0] -= 1\n"
        "    if not left[0]:\n"
        "        print('here', flush=True)\n"
        "        time.sleep(60)\n"
        "    real(self, *args)\n"
        "export._Remote.copy = slow\n"
        "from zooselect.cli.main import run\n"
        "run(sys.argv[1:])\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, "mirror", "export", str(mirror.root), URL],
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout.readline() == b"here\n"
        child.send_signal(signal.SIGKILL)
    assert "catalog.json" not in stored(bucket)
    with pytest.raises(LocalFileError, match="no mirror at"):
        open_store(URL)
    done = export(mirror, destination(URL))
    assert (done.present, done.copied) == (5, 2 * len(FILES) - 5)
    assert stored(bucket) == everything(mirror.root)


def test_what_has_another_size_is_copied_again(mirror, bucket):
    export(mirror, destination(URL))
    model = mirror.models()[0]
    bucket.pipe_file(f"{URL}/{model.folder}/model.onnx", b"an error page")
    assert export(mirror, destination(URL)).copied == 1
    assert stored(bucket) == everything(mirror.root)


def test_what_was_exported_can_be_verified(mirror, bucket, tmp_path):
    export(mirror, destination(URL))
    bucket.get("bucket/zoo/", str(tmp_path / "back"), recursive=True)
    assert verify(tmp_path / "back").damage == ()
    assert Mirror.open(tmp_path / "back").models() == mirror.models()


def test_a_mistyped_bucket_is_not_made(mirror, bucket):
    with pytest.raises(LocalFileError, match="cannot export") as caught:
        export(mirror, destination("s3://bukcet/zoo"))
    assert caught.value.hint
    assert bucket.ls("") == ["bucket"]


def test_the_command_line(mirror, bucket, cli):
    done = cli("mirror", "export", mirror.root, URL, "--json")
    assert (done.code, done.json["copied"]) == (0, 2 * len(FILES))
    assert cli("mirror", "export", mirror.root, URL, "--json").json["copied"] == 0
    failed = cli("mirror", "export", mirror.root, "s3://bukcet/zoo")
    assert (failed.code, failed.out, len(failed.errors)) == (7, "", 1)


def test_a_store_that_is_gone(mirror, bucket, monkeypatch):
    import s3fs

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(LocalFileError, match="cannot export"):
            export(mirror, destination(URL))
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
