"""Which files a model is made of."""

import os

import pytest

from tests.mirror.samples import files_of, write
from zooselect import LocalFileError, UsageError
from zooselect.mirror.gather import gather, gather_folder


def test_a_model_folder(tmp_path):
    folder = write(tmp_path / "m", files_of())
    found = gather([folder])
    assert found.sources == {name: folder / name for name in files_of()}
    assert found.notes == ()


def test_files_and_parts(tmp_path):
    folder = write(tmp_path / "m", files_of())
    parts = ("model.onnx", "recipe.md", "deployment", "training")
    found = gather([folder / part for part in parts])
    assert set(found.sources) == {name for name in files_of() if name.split("/")[0] in parts}


def test_what_is_no_part_of_a_model_is_told(tmp_path):
    folder = write(
        tmp_path / "m",
        {"model.onnx": b"x", "LICENSE": b"x", "sample-inputs/a": b"x", "sample-inputs/b": b"x",
         "original.md": b"x", "recipe.md": b"x", "training/.zooselect-x": b"x",
         "training/aux.txt": b"x"},
    )  # fmt: skip
    (folder / "model.md").symlink_to("/etc/passwd")
    (folder / "training" / "up").symlink_to("/etc")
    os.mkfifo(folder / "training" / "pipe")
    found = gather_folder(folder)
    assert set(found.sources) == {"model.onnx", "recipe.md"}
    told = " ".join(found.notes)
    for name in ("LICENSE", "sample-inputs/", "'model.md'", "'training/up'", "'training/pipe'",
                 ".zooselect-x", "aux.txt", "recipe.md"):  # fmt: skip
        assert name in told
    assert sum("sample-inputs" in note for note in found.notes) == 1


@pytest.mark.parametrize("name", ["tokenizer.json", "LICENSE", "x.onnx"])
def test_a_file_no_model_has(tmp_path, name):
    write(tmp_path, {name: b"x"})
    with pytest.raises(UsageError, match="no model has a file of this name") as caught:
        gather([tmp_path / name])
    assert (caught.value.hint == "name it model.onnx") == name.endswith(".onnx")


def test_two_files_for_one_place(tmp_path):
    write(tmp_path, {"a/model.onnx": b"x", "b/model.onnx": b"x"})
    with pytest.raises(UsageError, match=r"two files for model\.onnx"):
        gather([tmp_path / "a", tmp_path / "b"])


def test_missing(tmp_path):
    with pytest.raises(LocalFileError):
        gather([tmp_path / "absent"])
