"""Models come in whole, are replaced whole and go whole."""

import contextlib
import errno
import json
import os
import time

import pytest

from tests.mirror.samples import (
    V1,
    V2,
    archive,
    contents,
    everything,
    files_of,
    network,
    network_with_data,
    new,
    put,
    records_of,
    write,
)  # fmt: skip
from zooselect import IntegrityError, LocalFileError, NotFoundError, UsageError
from zooselect.mirror.compile import compile_catalog
from zooselect.mirror.publish import init, remove, retire, sweep
from zooselect.mirror.store import Mirror
from zooselect.mirror.verify import verify

OTHER = "zoo:other-imagenet-base"


@pytest.fixture
def mirror(tmp_path):
    """An empty mirror."""
    return new(tmp_path / "zoo")


@pytest.fixture
def folder(tmp_path):
    """A model folder."""
    return write(tmp_path / "model", files_of())


def names_in(mirror):
    return [model.record.stub for model in mirror.models()]


def assert_sound(mirror):
    found = verify(mirror.root)
    assert (found.damage, found.stray, found.compiled) == ((), (), False)
    assert not [path for path in everything(mirror.root) if ".zooselect-" in path]


def test_init(tmp_path):
    mirror = init(tmp_path / "a" / "b")
    assert mirror.models() == ()
    before = everything(mirror.root)
    assert init(mirror.root).models() == ()
    assert everything(mirror.root) == before
    with pytest.raises(UsageError, match="not empty"):
        init(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LocalFileError):
        init(tmp_path / "file")


def test_the_layout(mirror, folder):
    added = put(mirror, V2, folder, alias=V1)
    home = "models/" + V1.removeprefix("zoo:")
    content = added.model.folder.removeprefix(home + "/")
    assert (len(content), set(content) - set("0123456789abcdef")) == (12, set())
    assert set(everything(mirror.root)) == {
        "catalog.json",
        home + "/record.json",
        *(f"{home}/{content}/{name}" for name in files_of()),
    }
    document = json.loads((mirror.root / "catalog.json").read_bytes())
    assert document["schema"] == 1
    assert document["compiled"].endswith("+00:00")
    assert document["models"] == [json.loads((mirror.root / home / "record.json").read_bytes())]
    (record,) = document["models"]
    assert (record["stub"], record["stub_v1"], record["stub_v2"]) == (V1, V1, V2)
    assert record["onnx_size_bytes"] == len(network())
    assert record["compressed_size_bytes"] == len(files_of()["model.onnx.tar.gz"])
    assert [file["name"] for file in record["files"]] == sorted(files_of())
    assert added.replaced is False
    assert_sound(mirror)


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_others_can_read_what_was_added(mirror, folder):
    (folder / "model.onnx").chmod(0o600)
    model = put(mirror, V2, folder).model
    assert mirror.file_path(model, "model.onnx").stat().st_mode & 0o444 == 0o444
    assert (mirror.root / model.folder).stat().st_mode & 0o555 == 0o555


def test_the_catalog_is_sorted_and_complete(mirror, folder):
    stubs = [V1, OTHER, "zoo:a-b-c", "zoo:z-b-c"]
    for stub in reversed(stubs):
        put(mirror, stub, folder)
    assert names_in(mirror) == sorted(stubs)
    assert [record["stub"] for record in records_of(mirror)] == sorted(stubs)
    assert_sound(mirror)


def test_replacing(mirror, folder, tmp_path):
    put(mirror, V2, folder)
    (before,) = mirror.models()
    with pytest.raises(UsageError, match="is in the mirror") as caught:
        put(mirror, V2, folder)
    assert caught.value.hint == "--replace replaces it"
    added = put(mirror, V2, write(tmp_path / "new", files_of(1)), replace=True)
    (model,) = mirror.models()
    assert added.replaced
    assert model.folder != before.folder
    assert not (mirror.root / before.folder).exists()
    assert contents(model, mirror) == files_of(1)
    again = put(mirror, V2, folder, replace=True)
    assert again.model.folder == before.folder
    assert put(mirror, V2, folder, replace=True).model == again.model
    assert_sound(mirror)


def test_replacing_mends_what_was_damaged(mirror, folder):
    model = put(mirror, V2, folder).model
    mirror.file_path(model, "model.onnx").write_bytes(b"x" * len(network()))
    (mirror.root / model.folder / "recipe.md").unlink()
    assert len(verify(mirror.root).damage) == 2
    assert put(mirror, V2, folder, replace=True).model == model
    assert contents(model, mirror) == files_of()
    assert_sound(mirror)


def test_a_damaged_record_is_mended_too(mirror, folder):
    put(mirror, OTHER, folder)
    put(mirror, V2, folder)
    (mirror.root / "models" / V2.removeprefix("zoo:") / "record.json").write_text("{")
    added = put(mirror, "zoo:a-b-c", folder)
    assert any("record.json" in note for note in added.notes)
    assert names_in(mirror) == ["zoo:a-b-c", OTHER]
    put(mirror, V2, folder, replace=True)
    assert_sound(mirror)
    assert names_in(mirror) == ["zoo:a-b-c", V2, OTHER]


def test_a_name_is_one_models_only(mirror, folder):
    put(mirror, V1, folder, alias=V2)
    for stub in (V2, "zoo:cv/classification/labnet_v1-18/pytorch/lab/imagenet/other-none"):
        alias = None if stub == V2 else V2
        with pytest.raises(UsageError, match="is in the mirror as"):
            put(mirror, stub, folder, alias=alias, replace=True)
    with pytest.raises(UsageError, match="only in case"):
        put(mirror, V1.replace("lab/", "Lab/"), folder)
    assert names_in(mirror) == [V1]


def test_a_change_of_the_alias(mirror, folder):
    put(mirror, V1, folder)
    put(mirror, V1, folder, alias=V2, replace=True)
    assert mirror.models()[0].names == (V1, V2)
    assert_sound(mirror)


@pytest.mark.parametrize("name", [V1, V2, V2.removeprefix("zoo:"), V1 + "?recipe=x"])
def test_removing(mirror, folder, name):
    put(mirror, V1, folder, alias=V2)
    put(mirror, OTHER, folder)
    assert remove(mirror, name).record.stub == V1
    assert names_in(mirror) == [OTHER]
    assert not (mirror.root / "models" / "cv").exists()
    with pytest.raises(NotFoundError):
        remove(mirror, name)
    assert_sound(mirror)
    put(mirror, V1, folder)
    assert_sound(mirror)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.onnx", b""),
        ("model.onnx", network()[:-9]),
        ("model.onnx", b"<html>503</html>"),
        ("model.onnx.tar.gz", files_of()["model.onnx.tar.gz"][:-9]),
        ("deployment.tar.gz", b"Service Unavailable"),
        ("training/weights.bin", b""),
        ("recipe.md", b'{"error": "not found"}'),
        ("deployment/Config.json", b"{}"),
    ],
)
def test_a_broken_file_leaves_everything_as_it_was(mirror, folder, name, content):
    put(mirror, OTHER, folder)
    before = everything(mirror.root)
    for spare in ("model.onnx.tar.gz", "deployment/model.onnx", "deployment.tar.gz"):
        (folder / spare).unlink()
    write(folder, {name: content})
    with pytest.raises(IntegrityError):
        put(mirror, V2, folder)
    with pytest.raises(IntegrityError):
        put(mirror, OTHER, folder, replace=True)
    assert everything(mirror.root) == before


def test_a_model_without_a_network(mirror, folder):
    with pytest.raises(IntegrityError, match=r"no model\.onnx"):
        put(mirror, V2, folder / "recipe.md")
    assert not (mirror.root / "models" / V2.removeprefix("zoo:")).exists()


@pytest.mark.parametrize(
    ("kept", "gains"),
    [
        (["model.onnx.tar.gz"], {"model.onnx"}),
        (
            ["deployment.tar.gz"],
            {"model.onnx"}
            | {f"deployment/{name}" for name in ("model.onnx", "config.json", "tokenizer.json")},
        ),
        (["deployment/model.onnx"], {"model.onnx"}),
    ],
)
def test_what_stands_in_an_archive_is_made_loose(mirror, tmp_path, kept, gains):
    folder = write(tmp_path / "part", {name: files_of()[name] for name in kept})
    added = put(mirror, V2, folder)
    whole = files_of()
    assert contents(added.model, mirror) == {name: whole[name] for name in {*kept, *gains}}
    assert len(added.notes) == len(gains)
    assert_sound(mirror)


def test_a_broken_loose_file_is_taken_from_a_whole_archive(mirror, folder):
    write(folder, {"deployment/config.json": b"", "deployment/model.onnx": network()[:-7]})
    added = put(mirror, V2, folder)
    assert contents(added.model, mirror) == files_of()
    assert len(added.notes) == 4


def test_an_archive_that_holds_a_broken_network(mirror, tmp_path):
    content = archive({"model.onnx": network()[:-7]})
    folder = write(tmp_path / "part", {"model.onnx.tar.gz": content})
    with pytest.raises(IntegrityError):
        put(mirror, V2, folder)
    folder = write(tmp_path / "more", {"deployment.tar.gz": archive({"model.onnx": b"<html>"})})
    with pytest.raises(IntegrityError):
        put(mirror, V2, folder)


def test_external_weights(mirror, tmp_path):
    model, data = network_with_data()
    folder = write(tmp_path / "m", {"model.onnx": model})
    with pytest.raises(IntegrityError, match=r"external data 'model\.onnx_data' is missing"):
        put(mirror, V2, folder)
    write(folder, {"model.onnx_data": data, "deployment/model.onnx": model})
    write(folder, {"deployment/model.onnx_data": data})
    added = put(mirror, V2, folder / "model.onnx", folder / "deployment")
    types = {file.name: file.type for file in added.model.files}
    assert types == {
        "model.onnx": "onnx", "model.onnx_data": "onnx",
        "deployment/model.onnx": "deployment", "deployment/model.onnx_data": "deployment",
    }  # fmt: skip
    assert records_of(mirror)[0]["onnx_size_bytes"] == len(model) + len(data)
    packed = archive({"model.onnx": model, "model.onnx_data": data})
    folder = write(tmp_path / "packed", {"model.onnx.tar.gz": packed})
    added = put(mirror, OTHER, folder)
    assert [file.name for file in added.model.files] == [
        "model.onnx", "model.onnx.tar.gz", "model.onnx_data",
    ]  # fmt: skip
    assert_sound(mirror)


def test_results_are_kept(mirror, folder):
    given = {"results": [{"metric": "top1_accuracy", "value": 70.5}], "throughput": [{"value": 1}]}
    put(mirror, V1, folder, given=given)
    assert given.items() <= records_of(mirror)[0].items()
    assert mirror.models()[0].record.quality("top1_accuracy") == 70.5


def fail(error):
    def refuse(*_args, **_more):
        raise error

    return refuse


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["os.fsync", "os.rename", "os.replace", "tempfile.mkdtemp"])
@pytest.mark.parametrize("error", [FULL, PermissionError(errno.EACCES, "Permission denied")])
def test_a_file_system_that_refuses(mirror, folder, tmp_path, monkeypatch, call, error):
    put(mirror, V2, folder)
    before = everything(mirror.root)
    other = write(tmp_path / "new", files_of(1))
    with monkeypatch.context() as patch:
        if call != "os.fsync" or error is FULL:
            patch.setattr(call, fail(error))
        else:
            patch.setattr("os.utime", fail(error))
        for stub in (V2, OTHER):
            with pytest.raises(LocalFileError) as caught:
                put(mirror, stub, other, replace=True)
            assert error.strerror in caught.value.message
    assert {
        path: content for path, content in everything(mirror.root).items() if path in before
    } == before
    assert verify(mirror.root).damage == ()
    put(mirror, OTHER, folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_mirror(mirror, folder):
    put(mirror, V2, folder)
    for path in (mirror.root, mirror.root / "models"):
        path.chmod(0o555)
    try:
        with pytest.raises(LocalFileError):
            put(mirror, OTHER, folder)
        assert verify(mirror.root).damage == ()
    finally:
        for path in (mirror.root, mirror.root / "models"):
            path.chmod(0o755)


def test_a_source_that_cannot_be_read(mirror, folder, monkeypatch):
    (folder / "model.md").unlink()
    (folder / "model.md").mkdir()
    put(mirror, V2, folder)  # a folder of that name is no file of a model
    from zooselect.mirror.describe import parse_names
    from zooselect.mirror.publish import add

    with pytest.raises(IntegrityError, match="cannot be read"):
        add(mirror, parse_names(OTHER), {"model.onnx": folder / "absent"}, {})


def left_overs(root):
    return [path for path in root.rglob("*") if path.name.startswith(".zooselect-")]


def test_what_dead_writers_left_is_removed_when_it_is_old(mirror, folder):
    put(mirror, V2, folder)
    home = mirror.root / "models" / V2.removeprefix("zoo:")
    write(mirror.root / ".zooselect-abc" / "files", {"model.onnx": b"x"})
    write(home, {".zooselect-def": b"x"})
    write(mirror.root, {".zooselect-ghi": b"x"})
    write(home / "0123456789ab", {"model.onnx": b"x"})
    write(mirror.root / "models" / "a-b-c" / "0123456789ab", {"model.onnx": b"x"})
    sweep(mirror.root)
    assert len(left_overs(mirror.root)) == 3
    assert len(verify(mirror.root).stray) == 2
    old = time.time() - 4000
    for path in (*mirror.root.rglob("*"),):
        os.utime(path, (old, old))
    put(mirror, OTHER, folder)
    assert left_overs(mirror.root) == []
    assert contents(mirror.models()[0], mirror) == files_of()
    assert names_in(mirror) == sorted([V2, OTHER])
    assert_sound(mirror)


def test_content_beside_a_damaged_record_is_kept(mirror, folder):
    model = put(mirror, V2, folder).model
    (mirror.root / "models" / V2.removeprefix("zoo:") / "record.json").write_text("{")
    for path in mirror.root.rglob("*"):
        os.utime(path, (1, 1))
    sweep(mirror.root)
    retire(mirror.root, model.folder)
    assert (mirror.root / model.folder / "model.onnx").is_file()


def test_content_that_is_named_again_comes_back(mirror, folder):
    model = put(mirror, V2, folder).model
    retire(mirror.root, model.folder)
    assert_sound(mirror)
    assert contents(model, mirror) == files_of()


def test_content_that_vanishes_under_the_writer_is_put_there_again(mirror, folder, monkeypatch):
    from zooselect.mirror import publish

    real, times = publish.write_whole, []

    def vanish_then_write(path, content):
        times.append(path)
        if len(times) < 3:
            for place in (mirror.root / "models").rglob("model.onnx"):
                place.unlink()
        real(path, content)

    monkeypatch.setattr(publish, "write_whole", vanish_then_write)
    model = put(mirror, V2, folder).model
    assert len(times) == 3
    assert contents(model, mirror) == files_of()


def test_a_catalog_that_lags_behind_is_compiled_by_the_next_writer(mirror, folder):
    put(mirror, V2, folder)
    before = (mirror.root / "catalog.json").read_bytes()
    put(mirror, OTHER, folder)
    (mirror.root / "catalog.json").write_bytes(before)
    with pytest.raises(UsageError, match="is in the mirror"):
        put(mirror, OTHER, folder)
    put(mirror, "zoo:a-b-c", folder)
    assert names_in(mirror) == ["zoo:a-b-c", V2, OTHER]


def test_a_model_whose_record_is_gone_can_be_added(mirror, folder):
    model = put(mirror, V2, folder).model
    (mirror.root / model.folder).parent.joinpath("record.json").unlink()
    assert put(mirror, V2, folder).model == model
    assert_sound(mirror)


def test_the_catalog_changes_only_when_a_record_does(mirror, folder):
    put(mirror, V2, folder)
    before = (mirror.root / "catalog.json").stat()
    assert compile_catalog(mirror.root) == ()
    after = (mirror.root / "catalog.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_compiling_sees_what_changes_meanwhile(mirror, folder, monkeypatch):
    """Another writer's record, written between the look and the switch, is not lost."""
    from zooselect.mirror import compile as compiling

    put(mirror, OTHER, folder)
    late = {"done": False}
    real = compiling.write_whole

    def slow(path, content):
        if not late["done"]:
            late["done"] = True
            put(mirror, V2, folder)  # a whole addition, catalog and all
        real(path, content)

    monkeypatch.setattr(compiling, "write_whole", slow)
    put(mirror, "zoo:a-b-c", folder)
    assert names_in(mirror) == ["zoo:a-b-c", V2, OTHER]


def test_foreign_files_do_not_disturb(mirror, folder, tmp_path):
    write(mirror.root, {"README.md": b"x", "models/notes.txt": b"x", "models/not a stub/x": b"x",
                        "models/cv/record.json": b"{}", "models/record.json": b"{}"})  # fmt: skip
    with contextlib.suppress(OSError):
        (mirror.root / "models" / "loop-a-b").symlink_to(mirror.root / "models")
    put(mirror, V1, folder)
    assert names_in(mirror) == [V1]
    assert Mirror.open(mirror.root).read().skipped == ()
    assert verify(mirror.root).damage == ()
