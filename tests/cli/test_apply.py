import json
import os
import re
import signal
import subprocess
import sys
import time

import onnx
import pytest

from tests.apply.conftest import network  # noqa: F401
from zooselect.apply import apply


@pytest.fixture
def ready(network, tmp_path):  # noqa: F811
    """A model of one's own with its samples."""
    model, data = network("normed")
    (tmp_path / "model.onnx").write_bytes(model.read_bytes())
    return tmp_path / "model.onnx", data


def test_one_line_and_notes(cli, ready):
    model, data = ready
    done = cli("apply", model, "--data", data)
    assert done.code == 0
    assert done.out.startswith("layers 3 of 5 pruned to 51.4")
    assert ", INT8 weights and activations · " in done.out
    end = done.out.partition(" · top-1 agreement with the input 100.0 % · ")[2]
    assert re.fullmatch(r"relative error 0\.\d+ against the input\n", end)
    written, latency, *notes = done.err.splitlines()
    assert written == f"note: wrote {model.parent / 'model-optim0.5.onnx'}"
    assert latency.startswith("note: a run takes ")
    assert notes == [
        "note: not pruned: conv1.weight (first convolution), fc.weight (last layer)",
        "note: 1 batch norms stand behind no layer and stay float",
    ]
    assert (model.parent / "model-optim0.5.onnx").exists()


def test_json_is_the_report(cli, ready, tmp_path):
    model, data = ready
    arguments = ("apply", model, "-l", "77%", "--data", data, "-o", tmp_path / "o.onnx", "--json")
    done = cli(*arguments, "--quiet", "--report", tmp_path / "r.json")
    assert (done.code, done.err) == (0, "")
    assert done.json["schema"] == 1
    assert done.json["policy"] == 1
    assert done.json["optim_level"] == 0.77
    assert json.loads((tmp_path / "r.json").read_text()) == done.json
    document = done.json
    again = apply(model, 0.77, tmp_path / "p.onnx", data=data).to_dict()
    for one in (again, document):
        for key in ("latency_ms_before", "latency_ms_after", "latency_ratio"):
            del one["measured"][key]
        assert one.pop("output") == one.pop("target")
    assert json.loads(json.dumps(again)) == {k: v for k, v in document.items() if k != "schema"}


def test_markdown_report(cli, ready, tmp_path):
    model, data = ready
    done = cli("apply", model, "--data", data, "--report", tmp_path / "r.md")
    assert done.code == 0
    text = (tmp_path / "r.md").read_text()
    assert "| conv2.weight | Conv | 16 x 16 x 3 x 3 | 0.00 % | 51.43 % |" in text
    assert "| the pruned model in float |" in text


def test_dry_run_writes_nothing(cli, ready):
    model, _ = ready
    before = sorted(os.listdir(model.parent))
    done = cli("apply", model, "-l", "1.0", "--dry-run", "--verbose")
    assert done.code == 0
    assert done.out == ("would do: layers 3 of 5 pruned to 79.99 %, INT8 weights and activations\n")
    assert "layer conv2.weight: 2304 weights, int8" in done.err
    assert f"note: would write {model.parent / 'model-optim1.0.onnx'}\n" in done.err
    assert cli("apply", model, "--dry-run", "--quiet")[:3] == (0, "", "")
    assert sorted(os.listdir(model.parent)) == before


def test_made_up_data_is_said_aloud(cli, ready):
    done = cli("apply", ready[0], "--synthetic-data", "2")
    assert done.code == 0
    assert "MADE-UP samples" in done.err
    assert done.out.endswith(" against the input · all of that on made-up samples\n")


@pytest.mark.parametrize("level", ["0.0", "0.1"])
def test_quiet_leaves_the_path_alone(cli, ready, level):
    model, data = ready
    done = cli("apply", model, "-l", level, "--data", data, "--quiet")
    assert done[:3] == (0, f"{model.parent / f'model-optim{level}.onnx'}\n", "")


def test_all_excluded_names_the_option(cli, ready):
    names = "conv1,conv2,conv3,conv4,fc"
    done = cli("apply", ready[0], "--dry-run", "--exclude", names)
    assert done.code == 2
    assert f"--exclude {names}" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.onnx"], 7, "no such model: none.onnx"),
        (
            ["zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none"],
            2,
            "a stub's model stands in the cache",
        ),
        (["{folder}"], 2, "neither model.onnx nor deployment"),
        (["{model}"], 2, "INT8 needs samples"),
        (["{model}", "-l", "1.1"], 2, "outside 0.0 to 1.0"),
        (["{model}", "--scope", "wide"], 2, "unknown scope"),
        (["{model}", "--report", "r.txt"], 2, "neither .json nor .md"),
        (["{model}", "--data", "x", "--synthetic-data", "2"], 2, "leave out one"),
        (["{model}", "-o", "none/out.onnx"], 7, "no such folder"),
        (["{broken}", "--synthetic-data", "2"], 6, "not an ONNX model"),
        (["zoo:one-two"], 2, "is not a stub"),
        (["{model}", "--report", "none/r.md"], 7, "no such folder"),
        (["{model}", "--report", "r.md", "-o", "./r.md"], 2, "would overwrite a model"),
        (["{pipe}"], 7, "no regular file"),
        (["{model}", "--synthetic-data", "1", "-o", "{pipe}"], 7, "no regular file"),
    ],
)
def test_errors(cli, ready, tmp_path, arguments, code, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.onnx").write_bytes(b"no model at all")
    os.mkfifo(tmp_path / "pipe")
    names = {one: tmp_path / one for one in ("folder", "pipe")}
    names |= {"model": ready[0], "broken": tmp_path / "broken.onnx"}
    done = cli("apply", *(one.format(**names) for one in arguments))
    assert done.code == code
    assert message in done.err
    assert done.err.count("\n") == 2


def test_a_model_folder(cli, ready, tmp_path):
    model, data = ready
    folder = tmp_path / "zoo" / "deployment"
    folder.mkdir(parents=True)
    model.rename(folder / "model.onnx")
    done = cli("apply", folder.parent, "--data", data, "-l", "0")
    assert done.code == 0
    assert (folder / "model-optim0.0.onnx").read_bytes() == (folder / "model.onnx").read_bytes()


def test_missing_package(cli, ready, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name)
    )
    done = cli("apply", ready[0], "--synthetic-data", "1")
    assert done.code == 2
    assert "zooselect[onnx]" in done.err


def test_ctrl_c_leaves_nothing(ready, tmp_path):
    model, data = ready
    many = tmp_path / "many"
    many.mkdir()
    one = next(data.iterdir())
    for at in range(3000):
        os.link(one, many / f"{at:04}.npz")
    target = tmp_path / "out"
    target.mkdir()
    command = [sys.executable, "-m", "zooselect", "apply", model, "--data", many]
    process = subprocess.Popen(
        [*command, "--samples", "3000", "-o", target / "o.onnx"], stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 30
    while not any(target.glob(".zooselect-*/calibration.onnx")) and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told == "error: interrupted\n"
    assert os.listdir(target) == []


def test_names_in_a_file_do_not_write_to_the_terminal(cli, ready):
    model, data = ready
    document = onnx.load(model)
    for node in document.graph.node:
        for at, name in enumerate(node.input):
            node.input[at] = name.replace("conv1.weight", "\x1b[31mred")
    for tensor in document.graph.initializer:
        tensor.name = tensor.name.replace("conv1.weight", "\x1b[31mred")
    onnx.save(document, model)
    done = cli("apply", model, "--data", data, "--verbose")
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "\\x1b[31mred" in done.err


STUB = "zoo:cv/classification/net-small/pytorch/own/digits/base-none"


def test_a_stub_is_fetched_once_options_are_right(cli, ready, tmp_path, monkeypatch):
    model, data = ready
    cache, mirror = tmp_path / "cache", tmp_path / "mirror"
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(cache))
    assert cli("mirror", "init", mirror).code == 0
    assert cli("mirror", "add", mirror, STUB, model).code == 0
    ask = ("apply", STUB, "--catalog", mirror, "-o", tmp_path / "out.onnx")
    assert cli(*ask).code == 2  # no samples
    assert cli(*ask, "--synthetic-data", "1", "--scope", "wide").code == 2
    assert not cache.exists()
    assert cli(*ask, "--data", data).code == 0
    (kept,) = cache.rglob("model.onnx")
    assert kept.read_bytes() == model.read_bytes()
    before = sorted(kept.parent.iterdir())
    mirror.rename(tmp_path / "gone")
    known = (tmp_path / "out.onnx").read_bytes()
    again = ("apply", STUB, "--offline", "-o", tmp_path / "again.onnx", "--data", data)
    assert cli(*again).code == 0
    assert (tmp_path / "again.onnx").read_bytes() == known
    assert cli("apply", STUB, "--offline", "--dry-run").code == 0
    assert sorted(kept.parent.iterdir()) == before
