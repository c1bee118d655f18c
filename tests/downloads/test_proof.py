"""What is gone on with, taken for whole or for a network: only what is proven, digest or not."""

import gzip
import json
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.downloads.archives import archive
from tests.downloads.children import ended, start
from tests.downloads.conftest import CONTENT
from tests.downloads.disk import check_nothing, check_whole, private
from tests.downloads.zoo_server import V1, V2, cut, good, plain, status

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

MODEL = {"model.onnx": CONTENT}
OTHER = random.Random(9).randbytes(len(CONTENT))
SIZE = len(CONTENT)


@pytest.fixture
def zoo(new_zoo):
    """Lists sizes, as the old service did, and no digest."""
    zoo = new_zoo(MODEL)
    zoo.md5 = False
    return zoo


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "model"


def becomes(zoo, content, fault=good):
    """The file is another one from this request on."""

    def then(reply):
        zoo.files["model.onnx"] = reply.content = content
        fault(reply)

    return then


def another_range(tag):
    """The rest of the file that was asked for, of another content, under some entity tag."""

    def fault(reply):
        at = int(re.search(r"\d+", reply.request.headers["range"])[0])
        said = {"ETag": tag} if tag else {}
        reply.head(
            206,
            Content_Length=SIZE - at,
            Content_Range=f"bytes {at}-{SIZE - 1}/{SIZE}",
            **said,
        )
        reply.send(reply.content[at:])

    return fault


@pytest.mark.parametrize("tag", [None, 'W/"2"', '"2"'], ids=["none", "weak", "another"])
@pytest.mark.parametrize("size", [True, False], ids=["size", "nothing"])
def test_a_range_without_the_tag_it_is_of(zoo, get, folder, size, tag):
    """A server that was asked for the rest of one content sends that of another."""
    zoo.size = size
    zoo.faults("model.onnx", cut(0.4), becomes(zoo, OTHER, another_range(tag)))
    assert get().code == 0
    check_whole(folder, {"model.onnx": OTHER})


@pytest.mark.parametrize(
    "said",
    ["bytes {at}-{some}/*", "bytes {at}-{some}/{next}", "bytes {at}-{some}/{size}"],
    ids=["of nobody knows how much", "of another size", "less than asked"],
)
@pytest.mark.parametrize("size", [True, False], ids=["size", "nothing"])
def test_a_part_of_the_range(zoo, get, folder, size, said):
    zoo.size = size

    def fault(reply):
        at = reply.range()
        told = said.format(at=at, some=at + 999, next=at + 1000, size=SIZE)
        reply.head(206, Content_Length=1000, Content_Range=told, ETag=reply.tag)
        reply.send(reply.content[at : at + 1000])

    zoo.faults("model.onnx", cut(0.4), fault)
    assert get().code == 0
    check_whole(folder, MODEL)


def test_the_rest_of_a_file_that_nobody_states_the_size_of(zoo, get, folder):
    zoo.size = False
    zoo.faults("model.onnx", cut(0.4), cut(0.4))
    assert get().code == 0
    check_whole(folder, MODEL)
    assert zoo.sent_of("model.onnx") == SIZE


def test_an_old_part_that_is_whole(zoo, get, folder, cache):
    """All of one file was here when another one failed; until the next run both changed."""
    zoo.files["deployment/model.onnx"] = b"\x08" * 5000
    zoo.faults("deployment/model.onnx", *[status(404)] * 9)
    assert get("--jobs", "1").code == 5
    zoo.files.update({"model.onnx": OTHER, "deployment/model.onnx": b"\x09" * 5000})
    zoo.faults("deployment/model.onnx")
    assert get().code == 0
    check_whole(folder, zoo.files)


def test_an_old_part_that_still_holds(zoo, get, folder):
    """One byte shows that it does."""
    zoo.files["training/last.bin"] = b"\x08" * 5000
    zoo.faults("training/last.bin", *[status(404)] * 9)
    assert get("--only", "all", "--jobs", "1").code == 5
    sent = zoo.sent_of("model.onnx")
    zoo.faults("training/last.bin")
    assert get("--only", "all").code == 0
    check_whole(folder, zoo.files)
    assert zoo.sent_of("model.onnx") - sent <= 1


def test_a_part_of_another_server(new_zoo, zoo, cli, folder, cache):
    """Entity tags of two servers may be the same for contents that are not."""
    other = new_zoo({"model.onnx": OTHER})
    other.md5 = False
    zoo.etag = other.etag = lambda content: '"1"'
    zoo.faults("model.onnx", cut(0.4), *[status(404)] * 9)
    assert cli("download", V1, "--api-url", zoo.url, "--dir", folder).code == 5
    assert cli("download", V1, "--api-url", other.url, "--dir", folder).code == 0
    check_whole(folder, {"model.onnx": OTHER})


def test_refresh_fetches_what_nobody_states_a_digest_of(zoo, get, folder):
    assert get().code == 0
    zoo.files["model.onnx"] = OTHER
    assert get("--refresh").code == 0
    check_whole(folder, {"model.onnx": OTHER})


@pytest.mark.parametrize(
    "body",
    [b"", b'{"error": "expired"}', b"gone\n", b"<?xml version='1.0'?><Error/>"],
    ids=["nothing", "a message", "a line", "XML"],
)
def test_what_is_no_network(zoo, get, folder, body):
    """Nothing is listed that a wrong content could be told by."""
    zoo.size = False
    zoo.faults("model.onnx", *[status(200, body)] * 9)
    outcome = get()
    assert (outcome.code, len(outcome.errors)) == (6, 1), outcome
    check_nothing(folder)
    zoo.faults("model.onnx")
    assert get().code == 0
    check_whole(folder, MODEL)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.999])
@pytest.mark.parametrize("size", [True, False], ids=["size", "nothing"])
def test_compressed_content_that_is_cut(zoo, get, folder, size, share):
    zoo.size = size
    packed = gzip.compress(CONTENT)
    zoo.faults("model.onnx", plain(packed[: int(len(packed) * share)], Content_Encoding="gzip",
                                   Content_Length=int(len(packed) * share)))  # fmt: skip
    assert get().code == 0
    check_whole(folder, MODEL)


def test_compressed_content_in_several_pieces(zoo, get, folder):
    packed = gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:])
    zoo.faults("model.onnx", plain(packed, Content_Encoding="gzip", Content_Length=len(packed)))
    assert get().code == 0
    check_whole(folder, MODEL)
    assert len(zoo.asked("model.onnx")) == 1


@pytest.mark.parametrize("coding", ["br", "zstd", "whatever"])
@pytest.mark.parametrize("size", [True, False], ids=["size", "nothing"])
def test_a_coding_that_was_not_asked_for(zoo, get, folder, size, coding):
    zoo.size = size
    body = b"packed".ljust(200)
    zoo.faults("model.onnx", *[plain(body, Content_Encoding=coding, Content_Length=200)] * 9)
    outcome = get()
    assert (outcome.code, coding in outcome.err) == (5, True), outcome
    check_nothing(folder)


def endless_trailers(reply):
    """All of the content in a chunk, and then a line of a trailer now and then."""
    reply.head(200, Transfer_Encoding="chunked")
    reply.send(b"%x\r\n" % len(reply.content) + reply.content + b"\r\n0\r\n")
    for number in range(200):
        reply.connection.sendall(b"x-%d: y\r\n" % number)
        reply.zoo._closed.wait(0.05)


def test_trailers_without_an_end(zoo, get, folder, monkeypatch):
    monkeypatch.setenv("ZOOSELECT_TIMEOUT", "0.2")
    zoo.faults("model.onnx", *[endless_trailers] * 3)
    assert get().code == 0
    check_whole(folder, MODEL)


def test_two_files_of_one_name(zoo, get, folder):
    row = {"displayName": "model.onnx", "fileType": "onnx"}
    zoo.files["deployment/model.onnx"] = OTHER
    zoo.rows["deployment/model.onnx"] = row
    outcome = get()
    assert (outcome.code, "two files" in outcome.err) == (5, True), outcome
    check_nothing(folder)


def test_names_before_there_were_folders(zoo, get, folder):
    """As servers listed files to clients before 1.6."""
    zoo.files = {
        "model.onnx": CONTENT,
        "training/config.json": b"{}",
        "deployment/model.onnx": OTHER,
        "recipe_original.md": b"# recipe",
    }
    zoo.rows = {
        "training/config.json": {"displayName": "config.json", "fileType": "framework"},
        "deployment/model.onnx": {"displayName": "model.onnx", "fileType": "deployment"},
        "recipe_original.md": {"displayName": "original.md"},
    }
    assert get("--only", "all").code == 0
    check_whole(folder, zoo.files)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"fileSize": str(SIZE)}, 0), ({"fileSize": float(SIZE)}, 0),
        ({"fileSize": str(SIZE + 5)}, 5), ({"fileType": None}, 0), ({"fileType": 7}, 0),
    ],
)  # fmt: skip
def test_rows_that_are_a_little_wrong(zoo, get, folder, row, code):
    """What they say is used all the same."""
    zoo.rows["model.onnx"] = row
    outcome = get()
    assert outcome.code == code, outcome
    assert code == 0 or "model.onnx" in outcome.errors[0]
    check_whole(folder, MODEL) if code == 0 else check_nothing(folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_keeps_what_came(zoo, folder, cache, number):
    zoo.pace = 0.05
    command = [sys.executable, "-m", "zooselect", "download", V1, "--api-url", zoo.url]
    with subprocess.Popen([*command, "--dir", str(folder)], stderr=subprocess.PIPE) as child:
        while zoo.sent_of("model.onnx") < 3 << 16:
            time.sleep(0.01)
        child.send_signal(number)
        assert child.communicate()[1] == b"error: interrupted\n"
    assert child.returncode == 130
    (note,) = [json.loads(one.read_text()) for one in (folder / ".zooselect-model").glob("*.json")]
    assert note["size"] >= 1 << 16
    zoo.pace = 0
    assert ended(start(zoo.url, folder)) == 0
    check_whole(folder, MODEL)
    assert zoo.requests[-1].headers["range"] == f"bytes={note['size']}-"


def test_a_damaged_archive_is_fetched_anew(new_zoo, cli, folder, cache):
    """What could not be unpacked is not gone on with."""
    packed = archive(MODEL)
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 1
    zoo = new_zoo({"model.onnx.tar.gz": packed})
    zoo.md5 = False
    zoo.faults("model.onnx.tar.gz", plain(bytes(damaged), Content_Length=len(packed), ETag='"1"'))
    arguments = ("download", V2, "--api-url", zoo.url, "--only", "model", "--dir", folder)
    outcome = cli(*arguments)
    assert (outcome.code, zoo.url in outcome.err) == (6, True)
    check_nothing(folder)
    assert private(folder) == []
    assert cli(*arguments).code == 0
    check_whole(folder, MODEL)
