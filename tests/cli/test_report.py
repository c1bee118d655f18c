"""`zooselect report`."""

import os

import pytest

from tests.report.samples import data_of
from zooselect import Catalog
from zooselect.report.page import page
from zooselect.task import TASKS, Task

EMBEDDED = Catalog.embedded()


def names(content):
    return [task["name"] for task in data_of(content)["tasks"]]


def test_writes_the_page(cli, tmp_path):
    path = tmp_path / "zoo.html"
    done = cli("report", "qa", "ic", "question-answering", "-o", path)
    assert (done.code, done.out) == (0, "")
    content = path.read_bytes()
    assert content == page(EMBEDDED, [Task.parse("qa"), Task.parse("ic")])
    assert done.err == f"{path}: 2 tasks, {len(content):,} bytes; open it in a browser\n"
    assert os.listdir(tmp_path) == ["zoo.html"]


def test_no_task_is_every_task(cli, tmp_path, small_catalog):
    path = tmp_path / "zoo.html"
    assert cli("report", "-q", "-o", path).err == ""
    assert names(path.read_bytes()) == [task.name for task in TASKS]
    assert cli("report", "--catalog", small_catalog, "-o", path).code == 0
    assert names(path.read_bytes()) == ["image_classification"]
    assert str(tmp_path).encode() not in path.read_bytes()


def test_to_stdout(process):
    done = process("report", "od", "--output", "-")
    assert (done.code, done.err) == (0, "")
    assert done.out.encode() == page(EMBEDDED, [Task.parse("od")])


def test_json(cli, tmp_path):
    path = tmp_path / "zoo.html"
    done = cli("report", "od", "-o", path, "--json")
    size = path.stat().st_size
    assert done.err == ""
    assert done.json == {
        "schema": 1, "output": str(path), "bytes": size, "tasks": ["object_detection"],
    }  # fmt: skip
    done = cli("report", "od", "-o", "-", "--json")
    assert (done.code, done.json["error"]["type"]) == (2, "UsageError")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["ic"], 2, "-o"),
        (["ic", "-o", "{}.pdf"], 2, "zoo.html.pdf"),
        (["ic", "-o", "model.onnx"], 2, "model.onnx"),
        (["nothing", "-o", "{}"], 2, "unknown task 'nothing'"),
        (["od", "--catalog", "{small}", "-o", "{}"], 3, "no object_detection models"),
        (["--catalog", "{odd}", "-o", "{}"], 3, "no model of any task"),
        (["--catalog", "{odd}/x", "-o", "{}"], 7, "cannot read"),
        (["ic", "-o", "{}/no/such.html"], 7, "cannot write"),
    ],
)  # fmt: skip
def test_errors_leave_what_was(cli, tmp_path, small_catalog, catalog_file, arguments, code, told):
    odd = catalog_file([{"stub": "zoo:cv/depth/a/b/c/d/base-none"}], name="odd.json")
    path = tmp_path / "zoo.html"
    path.write_text("what was")
    before = sorted(os.listdir(tmp_path))
    given = [one.format(path, small=small_catalog, odd=odd) for one in arguments]
    done = cli("report", *given)
    assert (done.code, done.out, len(done.errors)) == (code, "", 1)
    assert told in done.errors[0]
    assert path.read_text() == "what was"
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("name", ["qa.htm", "qa.HTML"])
def test_one_task_is_one_task(cli, tmp_path, name):
    done = cli("report", "qa", "-o", tmp_path / name)
    assert (done.code, ": 1 task, " in done.err) == (0, True)
