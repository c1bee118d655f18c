"""Whatever happens to a mirror's files is found."""

import os

import pytest

from tests.mirror.samples import V1, V2, files_of, new, put, write
from zooselect import LocalFileError
from zooselect.mirror.verify import verify

OTHER = "zoo:other-imagenet-base"


@pytest.fixture
def mirror(tmp_path):
    """A mirror of two models."""
    made = new(tmp_path / "zoo")
    put(made, V1, write(tmp_path / "model", files_of()), alias=V2)
    put(made, OTHER, tmp_path / "model")
    return made


def home(mirror, stub=V1):
    (model,) = (one for one in mirror.models() if one.record.stub == stub)
    return mirror.root / model.folder


def test_a_good_mirror(mirror):
    found = verify(mirror.root)
    assert (found.damage, found.stray, found.compiled) == ((), (), False)
    assert (found.models, found.files) == (2, 2 * len(files_of()))
    assert found.size == 2 * sum(map(len, files_of().values()))


@pytest.mark.parametrize("name", sorted(files_of()))
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"~"), "changed"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "changed"),
        (lambda path: path.write_bytes(b""), "changed"),
        (lambda path: path.unlink(), "missing"),
        (lambda path: (path.unlink(), path.mkdir()), "missing"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "changed"),
    ],
)
def test_any_damaged_file(mirror, name, change, kind):
    path = home(mirror) / name
    change(path)
    (problem,) = verify(mirror.root).damage
    assert problem.path == path.relative_to(mirror.root).as_posix()
    assert (problem.kind in ("changed", "missing"), problem.stub) == (True, V1)
    if kind == "missing":
        assert not path.is_file()


def test_a_missing_folder(mirror):
    for path in (mirror.root / "models" / OTHER.removeprefix("zoo:")).iterdir():
        if path.is_dir():
            path.rename(mirror.root / "elsewhere")
    found = verify(mirror.root)
    assert {problem.kind for problem in found.damage} == {"missing"}
    assert len(found.damage) == len(files_of())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"stub": "zoo:a-b-c"}', b"\xff"])
def test_a_damaged_record(mirror, content):
    path = home(mirror).parent / "record.json"
    path.write_bytes(content)
    (problem,) = verify(mirror.root).damage
    assert (problem.path, problem.kind) == (path.relative_to(mirror.root).as_posix(), "changed")
    assert [model.record.stub for model in mirror.models()] == [OTHER]


def test_the_record_of_another_model(mirror):
    record = (home(mirror).parent / "record.json").read_bytes()
    (home(mirror, OTHER).parent / "record.json").write_bytes(record)
    (problem,) = verify(mirror.root).damage
    assert "record of another model" in problem.reason


def test_strays_are_told_and_do_no_harm(mirror):
    folder = home(mirror)
    write(folder, {"more.txt": b"x", "training/more.txt": b"x", "new/a/b": b"x"})
    write(folder.parent, {"0123456789ab/model.onnx": b"x", "note": b"x"})
    found = verify(mirror.root)
    assert found.damage == ()
    base = folder.relative_to(mirror.root).as_posix()
    above = base.rpartition("/")[0]
    assert list(found.stray) == sorted(
        [f"{above}/0123456789ab/", f"{above}/note", f"{base}/more.txt", f"{base}/new/",
         f"{base}/training/more.txt"]
    )  # fmt: skip


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"schema": 1, "models": []}'])
def test_the_catalog_is_compiled_anew(mirror, content):
    path = mirror.root / "catalog.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert verify(mirror.root).compiled
    assert {model.record.stub for model in mirror.models()} == {V1, OTHER}
    assert not verify(mirror.root).compiled


def test_a_catalog_that_cannot_be_compiled(mirror, monkeypatch):
    def refuse(*_):
        raise LocalFileError("no space")

    (mirror.root / "catalog.json").write_bytes(b"{}")
    monkeypatch.setattr("zooselect.mirror.compile.write_whole", refuse)
    (problem,) = verify(mirror.root).damage
    assert (problem.path, problem.kind) == ("catalog.json", "changed")


def test_a_record_that_is_gone(mirror):
    """A model without a record does not exist; its files are strays."""
    folder = home(mirror)
    (folder.parent / "record.json").unlink()
    found = verify(mirror.root)
    assert (found.damage, found.compiled) == ((), True)
    assert found.stray == (folder.relative_to(mirror.root).as_posix() + "/",)


def test_an_unreadable_file(mirror, monkeypatch):
    def refuse(path, file):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("zooselect.mirror.verify.is_intact", refuse)
    assert len(verify(mirror.root).damage) == 2 * len(files_of())


def test_no_mirror(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(LocalFileError):
            verify(path)
