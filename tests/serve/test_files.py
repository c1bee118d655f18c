"""File bodies: nothing that an old client could take for the file but the file."""

import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.serve.zoos import BASE, FILES, ask, model, write, write_catalog
from zooselect.serve import files
from zooselect.serve.app import Server
from zooselect.serve.files import Part, none_match, wanted_part

# asyncio has sockets of its own.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

CONTENT = bytes(range(256)) * 5000
PATH = "/v2/models/m1/files/model.onnx"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """A server of one model; nothing changes in its mirror."""
    contents = {**FILES, "model.onnx": CONTENT}
    return Server(
        write(tmp_path_factory.mktemp("zoo"), model(BASE + "base-none", contents, model_id="m1"))
    )


@pytest.fixture
def zoo(tmp_path):
    """The folder of a mirror of one model, and its server."""
    folder = tmp_path / "zoo"
    mirror = write(folder, model(BASE + "base-none", {"model.onnx": CONTENT}, model_id="m1"))
    return folder, Server(mirror)


def test_head(app):
    answer = ask(app, "HEAD", PATH)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].strip('"').isalnum()
    assert "max-age" in answer.headers["cache-control"]
    assert "content-encoding" not in answer.headers
    # A range of a HEAD means nothing.
    assert ask(app, "HEAD", PATH, {"range": "bytes=999999999-"}) == answer
    assert ask(app, "HEAD", PATH, {"range": "bytes=0-5"}) == answer


def test_get(app):
    answer = ask(app, "GET", PATH, {"accept-encoding": "gzip, deflate"})
    assert (answer.status, answer.body) == (200, CONTENT)
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("name", FILES)
def test_every_file_under_its_v2_name_and_its_path(app, name):
    content = CONTENT if name == "model.onnx" else FILES[name]
    assert ask(app, "GET", f"/v2/models/m1/files/{name}").body == content
    assert ask(app, "GET", f"/models/m1/{name}").body == content
    assert ask(app, "HEAD", f"//v2//models/m1/files//{name}").status == 200


def test_flat_names(app):
    for flat, name in (("original.md", "recipe.md"), ("transfer.md", "recipe_transfer.md"),
                       ("weights.pth", "training/weights.pth")):  # fmt: skip
        assert ask(app, "GET", f"/v2/models/m1/files/{flat}").body == FILES[name]


SIZE = len(CONTENT)


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        (f"bytes=0-{SIZE}", 0, SIZE),  # as the old client asks: one past the last byte
        (f"bytes=0-{SIZE - 1}", 0, SIZE),
        (f"bytes=0-{10**18}", 0, SIZE),
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        ("bytes=300000-600000", 300_000, 600_001),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes={SIZE - 1}-{SIZE}", SIZE - 1, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        ("BYTES = 5-9", 5, 10),
    ],
)
def test_ranges(app, header, start, end):
    answer = ask(app, "GET", PATH, {"range": header})
    assert (answer.status, answer.body) == (206, CONTENT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("header", [f"bytes={SIZE}-{SIZE}", f"bytes={SIZE}-", "bytes=-0",
                                    f"bytes={SIZE + 5}-{SIZE + 9}"])  # fmt: skip
def test_a_range_past_the_end_has_an_empty_body(app, header):
    answer = ask(app, "GET", PATH, {"range": header})
    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["content-length"] == "0"
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=9-5", "bytes=0-5,7-9",
     "lines=0-5", "bytes=+1-5", "bytes=1.0-5", "bytes=0x1-5", "bytes=1-5-9", "bytes=--5",
     "bytes=0- 5", "bytes=" + "9" * 5000 + "-", "bytes=\u00b2-5", "0-5", "bytes=0-5;q=1"],
)  # fmt: skip
def test_what_is_no_single_range_gives_the_whole_file(app, header):
    answer = ask(app, "GET", PATH, {"range": header})
    assert (answer.status, len(answer.body)) == (200, SIZE)
    assert "content-range" not in answer.headers


@given(
    st.text() | st.from_regex(r"bytes=-?\d{0,25}-?\d{0,25}", fullmatch=True), st.integers(1, 10**15)
)
@example("bytes=0-10", 10)
def test_wanted_part_is_always_inside_the_file(header, size):
    part = wanted_part(header, size)
    if part is not None:
        assert 0 <= part.start <= part.end <= size
        assert part.start < part.end or part == (size, size)
        assert re.match(r"(?i)\s*bytes\s*=", header)


@given(st.integers(1, 10**12), st.integers(0, 10**12), st.integers(0, 10**12))
def test_wanted_part_of_sound_headers(size, start, length):
    part = wanted_part(f"bytes={start}-{start + length}", size)
    assert part == Part(min(start, size), min(start + length + 1, size))
    assert wanted_part(f"bytes={start}-", size) == Part(min(start, size), size)
    assert wanted_part(f"bytes=-{length}", size) == Part(max(0, size - length), size)


def test_conditions(app):
    etag = ask(app, "HEAD", PATH).headers["etag"]
    for header in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = ask(app, "GET", PATH, {"if-none-match": header, "range": "bytes=0-5"})
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == etag
        assert ask(app, "HEAD", PATH, {"if-none-match": header}).status == 304
    for header in ("", '"x"', etag.strip('"'), etag + "x"):
        assert ask(app, "GET", PATH, {"if-none-match": header}).status == 200
    part = {"range": "bytes=0-5"}
    assert ask(app, "GET", PATH, {**part, "if-range": etag}).status == 206
    for header in ('"x"', f"W/{etag}", "Sun, 22 Nov 2026 00:00:00 GMT", ""):
        assert ask(app, "GET", PATH, {**part, "if-range": header}).status == 200


def test_none_match():
    assert none_match('"a" , W/"b"', '"b"')
    assert not none_match("", '"b"')
    assert not none_match("*, x", '"b"')


def test_the_file_is_read_in_small_pieces(app, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 1000)
    assert ask(app, "GET", PATH).body == CONTENT
    assert ask(app, "GET", PATH, {"range": "bytes=999-2000"}).body == CONTENT[999:2001]


def missing(path):
    path.unlink()


def shorter(path):
    path.write_bytes(CONTENT[:-1])


def longer(path):
    path.write_bytes(CONTENT + b"x")


def empty(path):
    path.write_bytes(b"")


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def link_out(path):
    secret = path.parents[3] / "secret"
    secret.write_bytes(CONTENT)
    path.unlink()
    path.symlink_to(secret)


def folder_link_out(path):
    outside = path.parents[3] / "outside"
    path.parent.rename(outside)
    path.parent.symlink_to(outside)


def link_loop(path):
    path.unlink()
    path.symlink_to(path)


DAMAGES = [missing, shorter, longer, empty, folder, pipe, link_out, folder_link_out, link_loop]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("hold", [True, False])
def test_a_damaged_file_is_never_taken_for_the_file(zoo, damage, hold):
    root, app = zoo
    damage(root / "models/m1/model.onnx")
    for path in (PATH, "/models/m1/model.onnx"):
        head = ask(app, "HEAD", path, hold=hold)
        assert not head.dropped
        assert head.status >= 400
        assert int(head.headers.get("content-length", 0)) == 0
        assert "accept-ranges" not in head.headers
        for headers in ({}, {"range": "bytes=0-5"}, {"if-none-match": "*"}):
            answer = ask(app, "GET", path, headers, hold=hold)
            assert answer.dropped
            assert answer.body == b""
            # With a hold of the connection there is no answer at all, else an unmet length.
            assert answer.status is None if hold else answer.headers["content-length"] != "0"


def test_links_inside_the_mirror_are_followed(zoo):
    root, app = zoo
    path = root / "models/m1/model.onnx"
    path.rename(root / "models/store")
    path.symlink_to("../store")
    assert ask(app, "GET", PATH).body == CONTENT


@pytest.mark.parametrize("hold", [True, False])
def test_a_file_cut_short_while_it_is_sent(zoo, hold, monkeypatch):
    root, app = zoo
    monkeypatch.setattr(files, "CHUNK", 1000)
    path, sent = root / "models/m1/model.onnx", []

    async def cutting(scope, receive, send):
        async def cut(message):
            sent.append(message)
            if len(sent) == 3:
                os.truncate(path, 5000)
            await send(message)

        await app(scope, receive, cut)

    answer = ask(cutting, "GET", PATH, hold=hold)
    assert answer.dropped
    assert answer.body == CONTENT[:5000]
    assert answer.headers["content-length"] == str(SIZE)


def test_unknown_names(app):
    for name in ("other", "model.onnx/", "config.json", "deployment", "", "MODEL.ONNX", "."):
        for method in ("GET", "HEAD"):
            answer = ask(app, method, f"/v2/models/m1/files/{name}")
            assert (answer.status, answer.body) == (404, b"")
            assert answer.headers["content-length"] == "0"
            assert "accept-ranges" not in answer.headers
    # Only a client whose HEAD was good asks for a range: see `Server`.
    assert ask(app, "GET", "/v2/models/m1/files/other", {"range": "bytes=0-5"}).dropped
    assert ask(app, "GET", "/models/m1/other", {"range": "bytes=0-5"}).status == 404


def test_a_file_that_left_the_catalog(zoo):
    root, app = zoo
    app._looked = 0
    write_catalog(root, [])
    assert ask(app, "HEAD", PATH).headers["content-length"] == "0"
    assert ask(app, "GET", PATH, {"range": f"bytes=0-{SIZE}"}).dropped
    assert ask(app, "GET", PATH).status == 404
