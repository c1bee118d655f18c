"""Archives: good ones are unpacked flat; hostile, cut and corrupt ones leave nothing."""

import gzip
import tarfile
import tracemalloc

import pytest

from tests.downloads.archives import archive, member, packed, tar
from tests.downloads.disk import check_nothing, check_whole
from zooselect import archive as reading
from zooselect.downloads.unpack import unpack
from zooselect.errors import IntegrityError

NETWORK = member("model.onnx", b"network" * 1000)
GOOD = packed(NETWORK, member("config.json", b"{}"))


def link(name, to, kind=tarfile.SYMTYPE):
    return member(name, type=kind, linkname=to)


def corrupt(content, at):
    changed = bytearray(content)
    changed[at] ^= 0xFF
    return bytes(changed)


def sparse_bomb():
    """Two files of 6 MB of nothing, in an archive of a few blocks (GNU, the old form)."""

    def hole(name):
        info = tarfile.TarInfo(name)
        info.type = tarfile.GNUTYPE_SPARSE
        head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        size = b"%011o\0" % 6_000_000
        head[386:410] = size + b"%011o\0" % 0
        head[483:495] = size
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head[:512])
        return bytes(head[:512])

    return gzip.compress(hole("a") + hole("b") + tar([NETWORK]))


def header_bomb():
    """A name of 64 MB."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 64 << 20
    return gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(64 << 20) + tar([NETWORK]))


HOSTILE = {
    "a link, then a file through it": packed(
        NETWORK, link("x", "/tmp"), member("x/evil", b"evil"), member("x", b"evil")),
    "a link": packed(NETWORK, link("other.onnx", "model.onnx")),
    "a link out": packed(NETWORK, link("x", "../../../etc/passwd")),
    "a hard link": packed(NETWORK, link("x", "model.onnx", tarfile.LNKTYPE)),
    "a device": packed(NETWORK, member("x", type=tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "a pipe": packed(NETWORK, member("x", type=tarfile.FIFOTYPE)),
    "..": packed(NETWORK, member("../evil", b"evil")),
    ".. inside": packed(NETWORK, member("a/../../evil", b"evil")),
    "absolute": packed(NETWORK, member("/tmp/evil", b"evil")),
    "a drive": packed(NETWORK, member("C:\\evil", b"evil")),
    "reserved": packed(NETWORK, member("con.txt", b"evil")),
    "ours": packed(NETWORK, member(".zooselect-model/manifest.json", b"{}")),
    "twice": packed(NETWORK, NETWORK),
    "twice once flat": packed(NETWORK, member("sub/model.onnx", b"another")),
    "collide": packed(NETWORK, member("a", b"1"), member("A", b"2")),
    "no network": packed(member("config.json", b"{}")),
    "nothing": packed(),
    "no archive": b"hello",
    "empty": b"",
    "a page": b"<html>",
    "tar without gzip": tar([NETWORK]),
    "gzip without tar": gzip.compress(b"hello" * 500),
    "too large": gzip.compress(tar([member("model.onnx", b"x")])[:124] + b"77777777777\0"
                               + tar([member("model.onnx", b"x")])[136:]),
    "a header": header_bomb(),
    "cut": GOOD[: len(GOOD) // 2],
    "cut by a byte": GOOD[:-1],
    "cut before the checksum": GOOD[:-8],
    "wrong checksum": corrupt(GOOD, -6),
    "wrong length": corrupt(GOOD, -1),
    "corrupt": corrupt(GOOD, len(GOOD) // 2),
    "cut inside": gzip.compress(tar([NETWORK])[:3000]),
    "a header that is none": gzip.compress(tar([NETWORK])[:7680] + b"x" * 512 + bytes(1024)),
    "an empty network": packed(member("model.onnx")),
    "a page for a network": packed(member("model.onnx", b"<!doctype html><html>")),
    "headers in a row": gzip.compress(tar([member("x", b"x", type=b"x")])[:1024] * 400),
    "much behind its end": gzip.compress(tar([NETWORK]) + bytes(17 << 20)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_leaves_nothing(tmp_path, name):
    state, path = tmp_path / "state", tmp_path / "archive"
    state.mkdir()
    path.write_bytes(HOSTILE[name])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IntegrityError, match=r"model\.onnx\.tar\.gz holds"):
        unpack(path, "model.onnx.tar.gz", "", state)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "content", [archive({"model.onnx": bytes(8 << 20)}), sparse_bomb()], ids=["zeros", "holes"]
)
def test_a_bomb_by_ratio(tmp_path, monkeypatch, content):
    """The cap's floor is as large as models are; lowered here, for a quick test."""
    monkeypatch.setattr(reading, "_SMALLEST_CAP", 7 << 20)
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(IntegrityError, match="more than any model"):
        unpack(tmp_path / "a", "a", "", tmp_path)


def test_a_bomb_by_count(tmp_path, monkeypatch):
    """As above."""
    monkeypatch.setattr(reading, "_MEMBERS", 100)
    content = packed(NETWORK, *(member(f"f{number}") for number in range(100)))
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(IntegrityError, match="more than any model"):
        unpack(tmp_path / "a", "a", "", tmp_path)


def test_a_header_is_not_read_into_memory(tmp_path):
    (tmp_path / "a").write_bytes(HOSTILE["a header"])
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError):
            unpack(tmp_path / "a", "a", "", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_good(tmp_path):
    """Flat, as the old clients unpack; folders are no files, long names are none too long."""
    long = "l" * 200 + ".json"
    content = packed(
        member("./", type=tarfile.DIRTYPE), member("./model.onnx", b"network"),
        member("sub/config.json", b"{}"), member(long, b"x"), member("empty"),
    )  # fmt: skip
    (tmp_path / "a").write_bytes(content)
    found = unpack(tmp_path / "a", "a", "deployment", tmp_path)
    assert {one.name: one.path.read_bytes() for one in found} == {
        "deployment/model.onnx": b"network", "deployment/config.json": b"{}",
        f"deployment/{long}": b"x", "deployment/empty": b"",
    }  # fmt: skip


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("name", ["a link, then a file through it", "..", "cut", "wrong checksum"])
def test_through_the_command(zoo, get, tmp_path, name):
    """The server's own digest vouches for it, and it is refused all the same."""
    zoo.files = {"model.onnx.tar.gz": HOSTILE[name]}
    outcome = get()
    assert (outcome.code, len(outcome.errors)) == (6, 1)
    check_nothing(tmp_path / "model")
    zoo.files = {"model.onnx.tar.gz": packed(NETWORK)}
    assert get().code == 0
    check_whole(tmp_path / "model", {"model.onnx": NETWORK[1]})
