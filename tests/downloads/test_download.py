"""New versions, foreign files, full disks, folders that refuse or vanish."""

import contextlib
import errno
import os
import random
import resource
import shutil
import signal
import subprocess

import pytest

from tests.downloads.archives import archive, member, packed
from tests.downloads.children import ended, start
from tests.downloads.conftest import CONTENT, FILES
from tests.downloads.disk import (
    check_nothing,
    check_whole,
    corrupt_files,
    manifest,
    private,
    visible,
)
from tests.downloads.zoo_server import V1, cut, plain, status
from zooselect.downloads.manifest import read_manifest
from zooselect.errors import LocalFileError

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RUN = {name: FILES[name] for name in ("model.onnx", "deployment/model.onnx",
                                      "deployment/config.json")}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "model"


def check_refused(outcome, code=7):
    assert (outcome.code, outcome.out, len(outcome.errors)) == (code, "", 1), outcome
    assert "hint: " in outcome.err
    assert "Traceback" not in outcome.err
    assert "this is a bug" not in outcome.err


@pytest.mark.parametrize("mirror", [False, True], ids=["api", "mirror"])
def test_a_new_version_replaces_the_old(zoo, get, folder, mirror):
    assert get(mirror=mirror).code == 0
    zoo.files["model.onnx"] = new = CONTENT[::-1]
    assert get("--refresh", mirror=mirror).code == 0
    check_whole(folder, {**RUN, "model.onnx": new})
    # What is the same in both was not fetched again.
    assert len(zoo.asked("config.json")) == 1


def test_files_that_are_listed_no_more_go(zoo, get, folder):
    zoo.files["deployment/sub/tokenizer.json"] = b"{}"
    assert get("--only", "all").code == 0
    del zoo.files["deployment/sub/tokenizer.json"]
    del zoo.files["recipe.md"]
    assert get("--refresh").code == 0
    check_whole(folder, RUN)
    assert not (folder / "deployment/sub").exists()
    assert manifest(folder)["parts"] == ["all", "deployment", "model"]


def test_a_file_of_the_old_version_that_was_edited_stays(zoo, get, folder):
    assert get("--only", "all").code == 0
    (folder / "recipe.md").write_text("my own words")
    del zoo.files["recipe.md"]
    assert get("--refresh").code == 0
    assert visible(folder) == {**RUN, "recipe.md": b"my own words"}
    assert "recipe.md" not in manifest(folder)["files"]


def test_parts_that_are_there_are_of_the_same_version_as_what_is_added(zoo, get, folder):
    assert get("--only", "model").code == 0
    zoo.files["model.onnx"] = new = CONTENT[::-1]
    assert get("--only", "recipes").code == 0
    check_whole(folder, {"model.onnx": new, "recipe.md": FILES["recipe.md"]})


def test_a_new_version_that_fails_leaves_the_old_one(zoo, get, folder):
    assert get().code == 0
    zoo.files["model.onnx"] = CONTENT[::-1]
    zoo.files["deployment/config.json"] = b"new"
    zoo.faults("model.onnx", cut(0.5), *[status(500)] * 9)
    outcome = get("--refresh", "--no-fallback")
    assert outcome.code == 5
    assert visible(folder) == RUN
    assert corrupt_files(folder) == []
    # A server that fails is stood in for by what is here, and it is said.
    zoo.faults("model.onnx", *[status(500)] * 20)
    outcome = get("--refresh")
    assert outcome.code == 0
    assert outcome.err.startswith("note: ")
    zoo.faults("model.onnx")
    assert get("--refresh").code == 0
    check_whole(folder, {**RUN, "model.onnx": CONTENT[::-1], "deployment/config.json": b"new"})


def test_a_version_without_digests_that_changes_size(zoo, get, folder):
    zoo.md5 = False
    assert get().code == 0
    zoo.files["model.onnx"] = new = CONTENT[:200_000]
    assert get("--refresh").code == 0
    check_whole(folder, {**RUN, "model.onnx": new})


@pytest.mark.parametrize("archived", [False, True], ids=["loose", "archive"])
@pytest.mark.parametrize("md5", [False, True], ids=["no digest", "digest"])
def test_a_foreign_file_is_never_replaced(zoo, get, folder, archived, md5):
    zoo.md5 = md5
    if archived:
        zoo.files = {"model.onnx.tar.gz": archive({"model.onnx": CONTENT})}
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"mine")
    check_refused(get())
    assert visible(folder) == {"model.onnx": b"mine"}
    assert manifest(folder) is None
    (folder / "model.onnx").unlink()
    assert get().code == 0
    check_whole(folder, {"model.onnx": CONTENT} if archived else RUN)


def test_a_foreign_link_is_never_replaced(zoo, get, folder):
    zoo.files = {"model.onnx.tar.gz": archive({"model.onnx": CONTENT})}
    folder.mkdir()
    (folder / "model.onnx").symlink_to("/nowhere/at/all")
    check_refused(get())
    assert (folder / "model.onnx").is_symlink()


def test_the_same_content_is_no_foreign_file(zoo, get, folder):
    folder.mkdir()
    (folder / "model.onnx").write_bytes(CONTENT)
    assert get().code == 0
    check_whole(folder, RUN)
    assert zoo.asked("/m1/model.onnx") == []


def test_a_folder_in_the_way(zoo, get, folder):
    (folder / "model.onnx").mkdir(parents=True)
    check_refused(get())
    assert manifest(folder) is None


def test_a_file_in_the_way_of_a_folder(zoo, get, folder):
    folder.mkdir()
    (folder / "deployment").write_bytes(b"mine")
    check_refused(get())
    assert (folder / "deployment").read_bytes() == b"mine"


def test_a_link_that_leads_out(zoo, get, folder, tmp_path):
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / "deployment").symlink_to(tmp_path / "elsewhere")
    check_refused(get(), 6)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert manifest(folder) is None


def test_another_model_is_not_mixed_in(zoo, get, folder):
    assert get().code == 0
    outcome = get(stub="zoo:other-imagenet-base")
    assert outcome.code == 2
    check_whole(folder, RUN)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b'{"schema": 2}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_broken_manifest_is_none_and_heals(zoo, get, folder, content):
    zoo.files["model.onnx.tar.gz"] = archive({"model.onnx": CONTENT})
    del zoo.files["model.onnx"]
    assert get().code == 0
    (folder / ".zooselect-model/manifest.json").write_bytes(content)
    assert get().code == 0
    check_whole(folder, RUN)


@pytest.mark.parametrize("harm", ["removed", "cut", "same size"])
def test_a_damaged_file_is_fetched_again(zoo, get, folder, harm):
    assert get().code == 0
    path = folder / "model.onnx"
    if harm == "removed":
        path.unlink()
    else:
        path.write_bytes(CONTENT[:-1] + (b"" if harm == "cut" else b"\0"))
    assert get().code == 0
    check_whole(folder, RUN)
    assert len(zoo.asked("config.json")) == 1


def test_a_file_that_was_touched_is_read_and_kept(zoo, get, folder):
    assert get().code == 0
    os.utime(folder / "model.onnx", (1, 1))
    assert get().code == 0
    check_whole(folder, RUN)
    assert len(zoo.asked("/m1/model.onnx")) == 1


def test_no_part_that_is_not_there_is_claimed_to_be(zoo, get, folder):
    """Asked for on its own, what the server lacks is an error, whatever is here."""
    zoo.files = {"model.onnx": CONTENT}
    assert get().code == 0
    before = len(zoo.requests)
    assert get().code == 0
    assert len(zoo.requests) == before
    assert get("--only", "deployment").code == 3
    zoo.files["deployment/config.json"] = b"{}"
    assert get("--only", "deployment").code == 0
    check_whole(folder, dict(zoo.files))


def test_a_full_disk(zoo, cache, folder):
    """Nobody can go on with what did not fit; with room the next run is well."""

    def little():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    assert ended(start(zoo.url, folder, before=little)) == 7
    check_nothing(folder)
    assert sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) < 150_000
    assert ended(start(zoo.url, folder)) == 0
    check_whole(folder, RUN)


@contextlib.contextmanager
def mounted(path, options):
    """A small file system of its own, where one may be mounted."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        pytest.skip("no right to mount")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_really_full_disk(new_zoo, cache, tmp_path):
    """Of a size nobody knew before."""
    content = bytes(30 << 20)
    zoo = new_zoo({"model.onnx": content})
    zoo.size = zoo.md5 = False
    with mounted(tmp_path / "small", "size=24m") as disk:
        assert ended(start(zoo.url, disk / "model")) == 7
        check_nothing(disk / "model")
        assert private(disk / "model") == []
        zoo.files = {"model.onnx": content[: 4 << 20]}
        assert ended(start(zoo.url, disk / "model")) == 0
        check_whole(disk / "model", zoo.files)


def test_no_room_is_known_before(new_zoo, get, tmp_path):
    zoo = new_zoo({"model.onnx": bytes(30 << 20)})
    with mounted(tmp_path / "small", "size=24m") as disk:
        outcome = get("--api-url", zoo.url, folder=disk / "model")
        check_refused(outcome)
        assert "free" in outcome.err
        assert zoo.asked("/models/") == []


def test_full_when_the_manifest_is_written(zoo, get, folder, monkeypatch):
    """Not a model, but for a word: all of it is there, and none of it is fetched again."""

    def at_the_end(handle):
        if (folder / "model.onnx").exists():
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("zooselect.downloads.publish.os.fsync", at_the_end)
    check_refused(get())
    assert manifest(folder) is None
    monkeypatch.undo()
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(folder.parent / "cache"))
    assert get().code == 0
    check_whole(folder, RUN)
    assert len(zoo.asked("/models/")) == len(RUN)


def test_a_folder_nobody_may_write_to(zoo, get, tmp_path):
    with mounted(tmp_path / "disk", "size=8m,ro") as disk:
        check_refused(get(folder=disk / "model"))
        check_refused(get(folder=disk))


def test_a_model_in_a_folder_nobody_may_write_to_is_read(zoo, get, tmp_path):
    with mounted(tmp_path / "disk", "size=40m") as disk:
        assert get(folder=disk / "model").code == 0
        before = len(zoo.requests)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert get(folder=disk / "model").code == 0
        assert len(zoo.requests) == before
        check_whole(disk / "model", RUN)


def test_a_file_where_the_folder_should_be(zoo, get, tmp_path):
    (tmp_path / "model").write_bytes(b"mine")
    outcome = get()
    assert outcome.code in (2, 7)
    check_refused(outcome, outcome.code)
    (tmp_path / "file").write_bytes(b"mine")
    check_refused(get(folder=tmp_path / "file" / "model"))


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_folder_that_vanishes(zoo, get, folder, when):
    def vanish(reply):
        shutil.rmtree(folder)
        plain(reply.content, Content_Length=len(reply.content))(reply)

    zoo.faults("model.onnx" if when == "before" else "deployment/config.json", vanish)
    outcome = get("--jobs", "1")
    check_refused(outcome)
    assert manifest(folder) is None
    assert get().code == 0
    check_whole(folder, RUN)


def test_an_archive_is_unpacked_and_not_kept(zoo, get, folder):
    parts = {"model.onnx": CONTENT, "config.json": b"{}"}
    zoo.files = {"model.onnx": CONTENT, "deployment.tar.gz": archive(parts)}
    here = {"model.onnx": CONTENT, **{f"deployment/{name}": one for name, one in parts.items()}}
    assert get().code == 0
    check_whole(folder, here)
    assert get("--refresh").code == 0
    assert len(zoo.asked("deployment.tar.gz")) == 1
    # A new archive: all of the old one goes.
    zoo.files["deployment.tar.gz"] = archive({"model.onnx": CONTENT, "new.json": b"{}"})
    assert get("--refresh").code == 0
    del here["deployment/config.json"]
    check_whole(folder, {**here, "deployment/new.json": b"{}"})


def test_an_archive_that_brings_a_listed_file_too(zoo, get, folder):
    """Whose is right? Neither is taken."""
    zoo.files = {
        "model.onnx.tar.gz": archive({"model.onnx": CONTENT, "recipe.md": b"another"}),
        "recipe.md": FILES["recipe.md"],
    }
    check_refused(get("--only", "all"), 6)
    check_nothing(folder)


def test_an_archive_whose_member_is_where_a_folder_is(zoo, get, folder):
    zoo.files = {
        "model.onnx.tar.gz": packed(member("model.onnx", CONTENT), member("deployment", b"x")),
        "deployment/config.json": b"{}",
    }
    check_refused(get(), 6)
    check_nothing(folder)


def test_large_chunks_and_a_digest_on_threads(new_zoo, get, folder):
    """Beyond 8 MiB the hashing moves to threads; beyond 32 MiB a note is written on the way."""
    content = random.Random(2).randbytes(1 << 20) * 40
    zoo = new_zoo({"model.onnx": content})
    zoo.faults("model.onnx", cut(0.9))
    assert get("--api-url", zoo.url).code == 0
    check_whole(folder, zoo.files)
    assert zoo.sent_of("model.onnx") == len(content)


@pytest.mark.parametrize("moved", [0.0, 12345.678], ids=["coarser", "other"])
def test_a_model_that_was_copied_with_other_times(zoo, get, cli, tmp_path, moved):
    """As `cp -r`, zip and tar's usual format do: its content tells, and only once."""
    zoo.files.update(FILES)
    assert get().code == 0
    folder = tmp_path / "model"
    for name in ("model.onnx", "deployment/config.json"):
        when = int((folder / name).stat().st_mtime) - moved
        os.utime(folder / name, (when, when))
    offline = ("download", V1, "--offline", "--dir", folder)
    assert cli(*offline)[:2] == (0, f"{folder}\n")
    assert read_manifest(folder).stands(folder)
    (folder / "model.onnx").write_bytes(CONTENT[::-1])
    assert cli(*offline).code == 4


def test_a_whole_model_in_a_folder_that_is_only_read(zoo, get, tmp_path, monkeypatch):
    """Refused writes are those of another user's cache: what is there is there."""
    assert get(mirror=True).code == 0

    def refuse(folder, manifest):
        raise LocalFileError("cannot write", hint="read-only")

    monkeypatch.setattr("zooselect.downloads.download.write_manifest", refuse)
    before = len(zoo.asked())
    assert get("--refresh", mirror=True).code == 0
    assert [one for one in zoo.asked()[before:] if one.startswith("GET /models")] == []
