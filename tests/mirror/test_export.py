"""A mirror is copied to where many read it: incrementally, the catalog last."""

import errno

import pytest

from tests.mirror.samples import V1, V2, contents, everything, files_of, new, put, write
from zooselect import Catalog, IntegrityError, LocalFileError, UsageError
from zooselect.mirror.export import destination, export
from zooselect.mirror.store import Mirror
from zooselect.mirror.verify import verify

OTHER = "zoo:other-imagenet-base"


@pytest.fixture
def mirror(tmp_path):
    """A mirror of two models."""
    made = new(tmp_path / "zoo")
    put(made, V1, write(tmp_path / "model", files_of()), alias=V2)
    put(made, OTHER, tmp_path / "model")
    return made


def without_catalog(folder):
    return {path: content for path, content in everything(folder).items() if path != "catalog.json"}


def test_to_a_folder(mirror, tmp_path):
    target = tmp_path / "web" / "zoo"
    done = export(mirror, destination(str(target)))
    assert (done.models, done.copied, done.present) == (2, 2 * len(files_of()), 0)
    assert without_catalog(target) == without_catalog(mirror.root)
    copy = Mirror.open(target)
    assert copy.models() == mirror.models()
    found = verify(target)
    assert (found.damage, found.stray, found.compiled) == ((), (), False)
    assert len(Catalog.from_file(target / "catalog.json")) == 2


def test_only_what_is_new_is_copied(mirror, tmp_path):
    target = tmp_path / "web"
    export(mirror, destination(str(target)))
    assert export(mirror, destination(str(target))).copied == 0
    put(mirror, OTHER, write(tmp_path / "new", files_of(1)), replace=True)
    assert export(mirror, destination(str(target))).copied == len(files_of())
    copy = Mirror.open(target)
    (other,) = (one for one in copy.models() if one.record.stub == OTHER)
    assert contents(other, copy) == files_of(1)


def test_one_that_was_cut_short_goes_on(mirror, tmp_path, monkeypatch):
    import shutil

    real, calls = shutil.copyfile, []

    def full(source, target):
        calls.append(source)
        if len(calls) == 5:
            target.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    target = tmp_path / "web"
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(LocalFileError, match="No space left") as caught:
            export(mirror, destination(str(target)))
    assert caught.value.hint == "run it again: what was copied is not copied twice"
    assert not (target / "catalog.json").exists()
    assert not [path for path in everything(target) if ".zooselect-" in path]
    assert export(mirror, destination(str(target))).present == 4
    assert verify(target).damage == ()


def test_a_damaged_file_is_not_exported(mirror, tmp_path):
    next((mirror.root / "models").rglob("recipe.md")).write_bytes(b"x")
    with pytest.raises(IntegrityError, match="has changed"):
        export(mirror, destination(str(tmp_path / "web")))
    assert not (tmp_path / "web" / "catalog.json").exists()


def test_a_url_nobody_can_reach():
    with pytest.raises(UsageError) as caught:
        destination("no-such-kind://x/y")
    assert caught.value.hint == "a place that fsspec knows, or a folder"


def test_to_what_fsspec_reaches(mirror, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    done = export(mirror, destination("memory://bucket/zoo"))
    assert export(mirror, destination("memory://bucket/zoo")).present == done.copied
    memory = fsspec.filesystem("memory")
    memory.get("/bucket/zoo/", str(tmp_path / "back"), recursive=True)
    assert without_catalog(tmp_path / "back") == without_catalog(mirror.root)
    assert verify(tmp_path / "back").damage == ()
