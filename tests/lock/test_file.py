"""The lock file on disk: whole for every reader, whoever writes at the same time."""

import os
import subprocess
import sys

import pytest

from tests.lock.locks import model, pin
from zooselect.errors import IntegrityError, LocalFileError
from zooselect.lock import file
from zooselect.lock.file import edit, path_of, read
from zooselect.lock.lock import Lock
from zooselect.lock.write import to_toml
from zooselect.settings import Settings

LOCK = Lock.of([pin()], [model()])


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "z.lock")


def test_made_read_and_left_alone(path, tmp_path):
    assert edit(path, tmp_path / "cache", lambda old: (LOCK, old)) == (LOCK, True, None)
    before = os.stat(path)
    assert edit(path, tmp_path / "cache", lambda old: (LOCK, old)) == (LOCK, False, LOCK)
    assert os.stat(path) == before
    assert read(path) == LOCK
    assert sorted(os.listdir(tmp_path)) == ["cache", "z.lock"]


def test_what_says_the_same_is_left_alone(tmp_path):
    place, cache = tmp_path / "z.lock", tmp_path / "cache"
    edit(str(place), cache, lambda old: (LOCK, None))
    lines = b"\xef\xbb\xbf" + place.read_bytes().replace(b"\n", b"\r\n")
    annotated = lines.replace(b"[[pin]]", b"  # why: see the minutes\r\n\r\n[[pin]]")
    place.write_bytes(annotated)
    assert edit(str(place), cache, lambda old: (LOCK, None)) == (LOCK, False, None)
    assert place.read_bytes() == annotated
    assert edit(str(place), cache, lambda old: (Lock.of([pin()], []), None))[1]
    assert b"why" not in place.read_bytes()


def test_what_is_out_of_order_is_put_in_order(tmp_path):
    place, lock = tmp_path / "z.lock", Lock.of([pin(), pin(level=0.1)], [])
    head, *pins = to_toml(lock).split(b"\n[[pin]]\n")
    place.write_bytes(b"\n[[pin]]\n".join([head, *reversed(pins)]))
    assert read(str(place)) == lock
    assert edit(str(place), tmp_path / "cache", lambda old: (old, None))[1]
    assert place.read_bytes() == to_toml(lock)


def test_another_process_changes_it_meanwhile(path, tmp_path):
    theirs = pin(level=0.1)

    def change(old):
        if old is None:
            edit(path, tmp_path, lambda old: (Lock.of([theirs], []), None))
        return Lock.of([*(old or Lock()).pins, pin()], []), None

    lock, written, _ = edit(path, tmp_path, change)
    assert written
    assert lock == read(path) == Lock.of([theirs, pin()], [])


def test_one_that_is_never_left_alone(path, tmp_path, monkeypatch):
    monkeypatch.setattr(file, "_ROUNDS", 3)
    levels = iter(range(100))

    def change(old):
        edit(path, tmp_path, lambda old: (Lock.of([pin(level=next(levels) / 100)], []), None))
        return LOCK, None

    with pytest.raises(LocalFileError, match="changed again and again"):
        edit(path, tmp_path, change)
    assert len(read(path).pins) == 1


def test_no_file_a_folder_and_a_broken_one(path, tmp_path):
    with pytest.raises(LocalFileError, match="no lock file"):
        read(path)
    with pytest.raises(LocalFileError, match="cannot read lock file"):
        read(str(tmp_path))
    with pytest.raises(LocalFileError, match="cannot read lock file"):
        read("a\0b")
    with open(path, "w") as out:
        out.write("schema = 3")
    with pytest.raises(IntegrityError):
        edit(path, tmp_path, lambda old: (LOCK, None))
    assert (tmp_path / "z.lock").read_text() == "schema = 3"


def test_without_a_cache_to_wait_in(path, tmp_path):
    (tmp_path / "file").write_text("")
    assert edit(path, tmp_path / "file", lambda old: (LOCK, None))[1]
    assert read(path) == LOCK


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(LocalFileError, match="cannot write"):
        edit(str(tmp_path / "no" / "z.lock"), tmp_path, lambda old: (LOCK, None))


def test_many_processes_add_at_once_and_none_is_lost(path, tmp_path):
    command = [sys.executable, "-m", "zooselect", "lock", "add", "ic", "--file", path, "-l"]
    environ = {**os.environ, "ZOOSELECT_CACHE_DIR": str(tmp_path / "cache")}
    levels = [0.1, 0.3, 0.6, 0.8]
    started = [
        subprocess.Popen([*command, str(level)], env=environ, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
        for level in levels
    ]  # fmt: skip
    assert [one.wait(60) for one in started] == [0] * len(levels)
    assert [one.level for one in read(path).pins] == levels
    assert sorted(os.listdir(tmp_path)) == ["cache", "z.lock"]


def test_which_file():
    assert path_of(None, Settings()) == "zooselect.lock"
    settings = Settings.from_env({"ZOOSELECT_LOCK": "b"})
    assert path_of(None, settings) == "b"
    assert path_of("a", settings) == "a"
