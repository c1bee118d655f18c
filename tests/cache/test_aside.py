"""Moving damage aside, and removing what was moved there."""

import os

import pytest

from zooselect.cache.aside import discard, identity, left_overs, move_aside, size_of
from zooselect.errors import LocalFileError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "answers-1"
    folder.mkdir()
    (folder / "cache.db").write_text("damage")
    return folder


def test_move_aside(folder):
    assert move_aside(folder, "cache.db", identity(folder / "cache.db"))
    [aside] = left_overs(folder)
    assert (aside / "cache.db").read_text() == "damage"
    assert not folder.exists()


def test_what_is_no_longer_there_stays(folder):
    seen = identity(folder / "cache.db")
    os.rename(folder / "cache.db", folder / "old.db")
    (folder / "cache.db").write_text("new")
    assert move_aside(folder, "cache.db", seen)
    assert (folder / "cache.db").read_text() == "new"
    assert left_overs(folder) == []


def test_a_race_between_look_and_move_is_undone(folder, monkeypatch):
    seen = identity(folder / "cache.db")
    rename = os.rename

    def raced(source, target):
        monkeypatch.undo()
        rename(folder / "cache.db", folder / "old.db")
        (folder / "cache.db").write_text("new")
        rename(source, target)

    monkeypatch.setattr(os, "rename", raced)
    assert move_aside(folder, "cache.db", seen)
    assert (folder / "cache.db").read_text() == "new"
    assert left_overs(folder) == []


def test_nothing_to_move(tmp_path):
    assert move_aside(tmp_path / "answers-1", "cache.db", None)
    assert os.listdir(tmp_path) == []


def test_left_overs(folder):
    beside = folder.parent
    for name in ("answers-0", "answers-12", "answers-1.corrupt-0123abcd", "models", "answers-1x",
                 "answers-1.corrupt-", "answers-2.bak", "answers"):  # fmt: skip
        (beside / name).mkdir()
    names = [one.name for one in left_overs(folder)]
    assert names == ["answers-0", "answers-1.corrupt-0123abcd", "answers-12"]
    assert left_overs(beside / "nowhere" / "answers-1") == []
    assert left_overs(folder / "cache.db" / "answers-1") == []


def test_discard_follows_no_links(tmp_path, folder):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("a")
    (folder / "link").symlink_to(tmp_path / "mine")
    link = tmp_path / "answers-0"
    link.symlink_to(tmp_path / "mine")
    file = tmp_path / "answers-2"
    file.write_text("a")
    assert size_of(folder) == len("damage") + os.lstat(folder / "link").st_size
    assert size_of(link) == os.lstat(link).st_size
    for one in (folder, link, file, tmp_path / "nothing"):
        discard(one)
    assert sorted(os.listdir(tmp_path)) == ["mine"]
    assert os.listdir(tmp_path / "mine") == ["file"]


def test_what_cannot_be_removed(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(LocalFileError, match="Permission denied"):
        discard(folder)
