"""What the old clients left is taken over: whole models, and no broken file."""

import pytest

from tests.mirror.samples import (
    archive,
    contents,
    everything,
    files_of,
    network,
    new,
    put,
    write,
)  # fmt: skip
from tests.mirror.test_content import BROKEN
from zooselect import Catalog, LocalFileError, NotFoundError, UsageError
from zooselect.mirror.adopt import adopt
from zooselect.mirror.describe import describe, parse_names
from zooselect.mirror.publish import remove
from zooselect.mirror.verify import verify

NET = "labnet-imagenet-base"
KNOWN = next(one for one in Catalog.embedded() if one.to_dict().get("stub_v2") and "/" in one.stub)
IDENTIFIED = [one for one in Catalog.embedded() if one.to_dict().get("model_id")][-1]
MODEL_ID = describe(parse_names(IDENTIFIED.stub), {})["model_id"]


@pytest.fixture
def mirror(tmp_path):
    """An empty mirror."""
    return new(tmp_path / "zoo")


@pytest.fixture
def cache(tmp_path):
    """An empty cache folder."""
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def test_both_layouts(mirror, cache):
    known = KNOWN.to_dict()["stub_v2"].removeprefix("zoo:")
    write(cache / "neuralmagic" / NET, files_of())
    write(cache / "neuralmagic" / known, files_of(1))
    write(cache / MODEL_ID, files_of(2))
    write(cache / "neuralmagic" / "chunks", {"x_0": b""})
    write(cache, {"credentials.yaml": b"token: x"})
    before = everything(cache)
    done = adopt(mirror, cache)
    assert everything(cache) == before
    assert done.skipped == ()
    models = {one.folder.name: one.model for one in done.adopted}
    assert models[NET].record.stub == f"zoo:{NET}"
    assert models[known].record.stub == KNOWN.stub
    assert models[MODEL_ID].record.stub in (IDENTIFIED.stub, *IDENTIFIED.aliases)
    assert models[MODEL_ID].model_id == MODEL_ID
    assert contents(models[NET], mirror) == files_of()
    assert set(mirror.models()) == set(models.values())
    found = verify(mirror.root)
    assert (found.damage, found.stray, found.compiled) == ((), (), False)


def test_a_second_import_adopts_only_what_is_new(mirror, cache):
    write(cache / "neuralmagic" / NET, files_of())
    adopt(mirror, cache)
    write(cache / "neuralmagic" / "new-imagenet-base", files_of())
    before = mirror.models()
    done = adopt(mirror, cache)
    assert [one.model.record.stub for one in done.adopted] == ["zoo:new-imagenet-base"]
    assert [(one.stub, one.present) for one in done.skipped] == [(f"zoo:{NET}", True)]
    assert set(before) < set(mirror.models())
    remove(mirror, f"zoo:{NET}")
    assert len(adopt(mirror, cache).adopted) == 1


def test_one_model_in_two_folders(mirror, cache):
    write(cache / "a" / NET, files_of() | {"model.md": b""})
    write(cache / "b" / NET, files_of())
    write(cache / "c" / NET, files_of())
    done = adopt(mirror, cache)
    assert [one.folder.parent.name for one in done.adopted] == ["b"]
    assert [one.folder.parent.name for one in done.skipped] == ["a", "c"]


@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_a_broken_file_is_never_adopted(mirror, cache, name, content):
    spares = {"model.onnx.tar.gz", "deployment.tar.gz", "deployment/model.onnx"}
    files = {one: text for one, text in files_of().items() if one not in spares}
    write(cache / "neuralmagic" / NET, files | {name: content})
    write(cache / "neuralmagic" / "good-imagenet-base", files_of())
    done = adopt(mirror, cache)
    assert [one.model.record.stub for one in done.adopted] == ["zoo:good-imagenet-base"]
    (skipped,) = done.skipped
    assert (skipped.stub, skipped.present) == (f"zoo:{NET}", False)
    assert skipped.reason.startswith(f"{name}: ")
    assert [model.record.stub for model in mirror.models()] == ["zoo:good-imagenet-base"]


def test_what_the_clients_really_keep(mirror, cache):
    """They fetch a role at a time: an archive, what it was unpacked to, and leftovers."""
    deployment = {"model.onnx": network(), "config.json": b'{"n": 1}'}
    write(
        cache / "neuralmagic" / NET,
        {
            "deployment.tar.gz": archive(deployment),
            **{f"deployment/{name}": content for name, content in deployment.items()},
            "sample-inputs/inp-0.npz": b"x",
            "README": b"",
        },
    )
    ((_, model, notes),) = adopt(mirror, cache).adopted
    assert {file.name for file in model.files} == {
        "deployment.tar.gz", "deployment/model.onnx", "deployment/config.json", "model.onnx",
    }  # fmt: skip
    assert any("model.onnx: taken from deployment/model.onnx" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_stub", "no v2 stub"),
        ("a-b", "no v2 stub"),
        ("01234567-89ab-cdef-0123-456789abcdef", "no model id on record"),
        ("con-imagenet-base x", "no v2 stub"),
    ],
)
def test_folders_nobody_can_name(mirror, cache, name, says):
    write(cache / "neuralmagic" / name, files_of())
    (skipped,) = adopt(mirror, cache).skipped
    assert (skipped.stub, says in skipped.reason) == (None, True)
    assert mirror.models() == ()


def test_only_a_recipe(mirror, cache):
    write(cache / "neuralmagic" / NET, {"recipe.md": files_of()["recipe.md"]})
    (skipped,) = adopt(mirror, cache).skipped
    assert "no model.onnx" in skipped.reason


def test_one_model_folder_or_one_namespace(mirror, cache):
    write(cache / "neuralmagic" / NET, files_of())
    assert len(adopt(mirror, cache / "neuralmagic").adopted) == 1
    remove(mirror, NET)
    assert len(adopt(mirror, cache / "neuralmagic" / NET).adopted) == 1


def test_links_are_not_followed(mirror, cache, tmp_path):
    write(tmp_path / "secret" / NET, files_of())
    (cache / "neuralmagic").symlink_to(tmp_path / "secret")
    with pytest.raises(NotFoundError):
        adopt(mirror, cache)
    write(cache / "other" / NET, {"model.onnx": network()})
    (cache / "other" / NET / "model.md").symlink_to("/etc/passwd")
    ((_, model, notes),) = adopt(mirror, cache).adopted
    assert [file.name for file in model.files] == ["model.onnx"]
    assert notes == ("'model.md': a link",)


def test_nothing_there(mirror, cache, tmp_path):
    with pytest.raises(NotFoundError) as caught:
        adopt(mirror, cache)
    assert "~/.cache/sparsezoo" in caught.value.hint
    with pytest.raises(LocalFileError):
        adopt(mirror, tmp_path / "absent")


def test_a_full_disk_keeps_what_was_adopted(mirror, cache, monkeypatch):
    for index in range(3):
        write(cache / "neuralmagic" / f"net{index}-imagenet-base", files_of())
    from zooselect.mirror import adopt as adopting

    real, calls = adopting.publish, []

    def once(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise LocalFileError("No space left on device")
        return real(*arguments)

    monkeypatch.setattr(adopting, "publish", once)
    with pytest.raises(LocalFileError):
        adopt(mirror, cache)
    assert len(mirror.models()) == 1


def test_without_the_onnx_package(mirror, cache, monkeypatch):
    write(cache / "neuralmagic" / NET, files_of())
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(UsageError, match="needs the onnx package"):
        adopt(mirror, cache)
    assert mirror.models() == ()


def test_a_model_put_there_by_hand_stays(mirror, cache):
    write(cache / "neuralmagic" / NET, files_of(1))
    put(mirror, NET, write(cache / "elsewhere", files_of(0)))
    done = adopt(mirror, cache / "neuralmagic")
    assert done.adopted == ()
    assert contents(mirror.models()[0], mirror) == files_of(0)
