"""Reading a mirror: what its catalog says is data, and no file outside it is ever named."""

import copy
import json

import pytest

from tests.mirror.samples import V1, V2, files_of, new, put, records_of, write
from tests.test_names import HOSTILE
from zooselect import Catalog, IntegrityError, LocalFileError, NotFoundError
from zooselect.mirror.store import Mirror, MirrorFile

TEXTS = [name for name in HOSTILE if isinstance(name, str)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A mirror of one model."""
    folder = tmp_path_factory.mktemp("whole")
    mirror = new(folder / "zoo")
    put(mirror, V1, write(folder / "model", files_of()), alias=V2)
    return mirror


@pytest.fixture
def altered(whole, tmp_path):
    """Open a mirror whose catalog has one record changed, beside a sound one."""

    def make(change):
        sound = records_of(whole)[0]
        record = copy.deepcopy(sound)
        record["stub"] = "zoo:other-imagenet-base"
        change(record)
        document = {"schema": 1, "compiled": "2026-01-02", "models": [record, sound]}
        (tmp_path / "catalog.json").write_text(json.dumps(document))
        return Mirror.open(tmp_path)

    return make


def test_a_model(whole):
    (model,) = Mirror.open(whole.root).models()
    assert (model.record.stub, model.names) == (V1, (V1, V2))
    names = [file.name for file in model.files]
    assert names == sorted(files_of())
    assert {file.name: file.size for file in model.files} == {
        name: len(content) for name, content in files_of().items()
    }
    assert model.folder.startswith(f"models/{V1.removeprefix('zoo:')}/")
    assert model.size == sum(map(len, files_of().values()))
    for name, content in files_of().items():
        path = whole.file_path(model, name)
        assert path.is_absolute()
        assert path.read_bytes() == content


def test_the_catalog_is_one_for_the_rest_of_the_package(whole):
    catalog = Catalog.from_file(whole.root / "catalog.json")
    assert (catalog.provenance.skipped, catalog.provenance.repaired) == ((), ())
    assert catalog.find(V1).stub == catalog.find(V2).stub == V1


@pytest.mark.parametrize(
    "name", [*HOSTILE, "x", "MODEL.ONNX", "model.onnx/", "record.json"], ids=ascii
)
def test_files_the_model_does_not_have(whole, name):
    with pytest.raises(NotFoundError):
        whole.file_path(whole.models()[0], name)


@pytest.mark.parametrize("name", TEXTS, ids=ascii)
def test_a_hostile_model_at_hand(whole, name):
    (model,) = whole.models()
    file = MirrorFile(name, "onnx", 1, "0" * 64, "0" * 32)
    hostile = type(model)(model.record, model.model_id, model.folder, (file,))
    with pytest.raises(IntegrityError):
        whole.file_path(hostile, name)


@pytest.mark.parametrize("name", [*TEXTS, None, 7, ["a"]], ids=ascii)
def test_hostile_file_names_in_a_catalog(altered, name):
    listing = altered(lambda record: record["files"][0].update(name=name)).read()
    assert [model.record.stub for model in listing.models] == [V1]
    assert len(listing.skipped) == 1


@pytest.mark.parametrize("name", TEXTS, ids=ascii)
def test_hostile_folders_in_a_catalog(altered, name):
    for folder in (name, f"models/{name}"):
        listing = altered(lambda record, folder=folder: record.update(folder=folder)).read()
        assert [model.record.stub for model in listing.models] == [V1]
        assert len(listing.skipped) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(stub="x"),
        lambda record: record.update(stub=None),
        lambda record: record.update(model_id=None),
        lambda record: record.update(model_id="../x"),
        lambda record: record.update(model_id=".."),
        lambda record: record.update(model_id="x" * 129),
        lambda record: record.update(folder="elsewhere/x"),
        lambda record: record.update(folder="models"),
        lambda record: record.update(folder=None),
        lambda record: record.update(files=None),
        lambda record: record.update(files=[]),
        lambda record: record.update(files={}),
        lambda record: record["files"].append(record["files"][0]),
        lambda record: record["files"].append({**record["files"][0], "name": "MODEL.onnx"}),
        lambda record: record["files"].append({**record["files"][0], "name": "model.onnx/x"}),
        lambda record: record["files"].append("x"),
        lambda record: record["files"][0].update(type=None),
        lambda record: record["files"][0].update(type="a b"),
        lambda record: record["files"][0].update(size=0),
        lambda record: record["files"][0].update(size=True),
        lambda record: record["files"][0].update(size="1"),
        lambda record: record["files"][0].update(sha256="0" * 63),
        lambda record: record["files"][0].update(sha256="G" * 64),
        lambda record: record["files"][0].update(md5=None),
    ],
)
def test_one_bad_model_never_loses_the_mirror(altered, change):
    listing = altered(change).read()
    assert [model.record.stub for model in listing.models] == [V1]
    assert len(listing.skipped) == 1


def test_a_second_model_under_one_stub(altered):
    listing = altered(lambda record: record.update(stub=V1)).read()
    assert len(listing.models) == 1
    assert listing.skipped == ((V1, "a second model under the same stub"),)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"<html>", b'{"schema": 2, "models": []}', b'{"schema": 1}',
                b'{"schema": 1, "models": {}}', b"[" * 100_000, b"\xff"],
)  # fmt: skip
def test_no_catalog(tmp_path, content):
    (tmp_path / "catalog.json").write_bytes(content)
    with pytest.raises(IntegrityError):
        Mirror.open(tmp_path)


@pytest.mark.parametrize("name", ["", "absent", "a\0b"])
def test_no_mirror(tmp_path, name):
    with pytest.raises(LocalFileError) as caught:
        Mirror.open(str(tmp_path / name))
    assert caught.value.hint == "`zooselect mirror init DIR` makes one"


@pytest.mark.parametrize("target", ["file", "folder", "above"])
def test_links_are_not_followed_out_of_the_mirror(tmp_path, target):
    mirror = new(tmp_path / "zoo")
    put(mirror, V2, write(tmp_path / "model", files_of()))
    (model,) = mirror.models()
    folder = mirror.root / model.folder
    secret = write(tmp_path / "secret", files_of())
    if target == "file":
        (folder / "model.onnx").unlink()
        (folder / "model.onnx").symlink_to(secret / "model.onnx")
    else:
        moved = folder if target == "folder" else folder.parent
        moved.rename(tmp_path / "moved")
        moved.symlink_to(secret if target == "folder" else tmp_path / "moved")
    with pytest.raises(IntegrityError, match="leads out of the mirror"):
        mirror.file_path(model, "model.onnx")


def test_a_mirror_behind_a_link_and_links_inside_it(tmp_path):
    mirror = new(tmp_path / "zoo")
    put(mirror, V2, write(tmp_path / "model", files_of()))
    (tmp_path / "link").symlink_to(tmp_path / "zoo")
    linked = Mirror.open(tmp_path / "link")
    (model,) = linked.models()
    assert linked.file_path(model, "model.onnx").read_bytes() == files_of()["model.onnx"]
