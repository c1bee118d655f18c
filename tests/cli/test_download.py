"""`zooselect download`, as people and scripts use it."""

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest

from tests.downloads.conftest import FILES, cache, new_zoo, zoo
from tests.downloads.disk import STATE, check_whole, visible
from tests.downloads.zoo_server import V1, V2, status
from tests.test_package import watched

__all__ = ["cache", "new_zoo", "zoo"]

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RUN = {name: FILES[name] for name in ("model.onnx", "deployment/model.onnx",
                                      "deployment/config.json")}  # fmt: skip
PLACE = "models/cv/classification/labnet_v1-18/pytorch/lab/imagenet/pruned90_quant-none"


@pytest.fixture(autouse=True)
def _in_the_cache(cache):
    return cache


def test_to_the_cache(cli, zoo, cache):
    folder = cache / PLACE
    for stub in (V1, V2, V1 + "?recipe=x", V1.removeprefix("zoo:")):
        assert cli("download", stub, "--api-url", zoo.url) == (0, f"{folder}\n", "")
    check_whole(folder, RUN)
    assert len(zoo.requests) == 1 + len(RUN)


def test_json(cli, zoo, tmp_path):
    folder = tmp_path / "model"
    outcome = cli("download", V2, "--api-url", zoo.url, "--dir", folder, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    (model,) = outcome.json["models"]
    assert outcome.json["schema"] == 1
    assert outcome.json["dry_run"] is False
    size = sum(map(len, RUN.values()))
    assert (model["stub"], model["folder"]) == (V1, str(folder))
    assert (model["bytes"], model["fetched_bytes"]) == (size, size)
    assert model["parts"] == ["deployment", "model"]
    assert (model["source"]["source"], model["source"]["location"]) == ("api", zoo.url)
    assert {one["name"]: one["size"] for one in model["files"]} == {
        name: len(content) for name, content in RUN.items()
    }
    again = cli("download", V2, "--api-url", zoo.url, "--dir", folder, "--json").json["models"][0]
    assert again["fetched_bytes"] == 0


def test_dry_run(cli, zoo, tmp_path):
    folder = tmp_path / "model"
    arguments = ("download", V1, "--api-url", zoo.url, "--dir", folder, "--dry-run")
    outcome = cli(*arguments)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        str(folder),
        "  fetch deployment/config.json  9 bytes",
        "  fetch deployment/model.onnx  100,000 bytes",
        "  fetch model.onnx  300,000 bytes",
    ]
    assert not folder.exists()
    (model,) = cli(*arguments, "--json").json["models"]
    assert (model["complete"], model["fetch_bytes"]) == (False, 400_009)
    assert zoo.asked("/models/") == []
    assert cli(*arguments[:-1]).code == 0
    (model,) = cli(*arguments, "--json", "--refresh").json["models"]
    assert (model["complete"], model["fetch"], model["here"]) == (True, [], sorted(RUN))
    outcome = cli(*arguments)
    assert outcome.out.splitlines() == [str(folder), *(f"  here {name}" for name in sorted(RUN))]
    assert outcome.err == "note: all of it is here already\n"


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (("recipes",), ["recipe.md"]),
        (("model",), ["model.onnx"]),
        (("recipes", "model"), ["model.onnx", "recipe.md"]),
        (("all",), sorted(FILES)),
    ],
)
def test_only(cli, zoo, tmp_path, only, names):
    options = [word for part in only for word in ("--only", part)]
    assert cli("download", V1, "--api-url", zoo.url, "--dir", tmp_path / "m", *options).code == 0
    check_whole(tmp_path / "m", {name: FILES[name] for name in names})


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--only", "weights"), 2),
        (("--only", "samples"), 3),
        (("--jobs", "0"), 2),
        (("--jobs", "65"), 2),
        (("--architecture", "resnet"), 2),
        (("--offline", "--refresh"), 2),
    ],
)
def test_refused(cli, zoo, tmp_path, arguments, code):
    outcome = cli("download", V1, "--api-url", zoo.url, "--dir", tmp_path / "m", *arguments)
    assert (outcome.code, outcome.out, len(outcome.errors)) == (code, "", 1)
    assert zoo.asked("/models/") == []
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("stub", ["", "zoo:x", "no stub at all", "zoo:../../etc"])
def test_no_stub(cli, zoo, stub):
    assert cli("download", stub, "--api-url", zoo.url).code == 2
    assert zoo.requests == []


def test_a_model_nobody_has(cli, zoo, tmp_path):
    outcome = cli("download", "zoo:other-imagenet-base", "--api-url", zoo.url, "--json")
    assert outcome.code == 3
    assert outcome.json["error"]["type"] == "NotFoundError"


@pytest.mark.parametrize("jobs", [1, 2, 64])
def test_jobs(cli, zoo, tmp_path, jobs):
    zoo.files.update({f"deployment/{number}.json": b"%d" % number for number in range(20)})
    folder = tmp_path / "m"
    assert cli("download", V1, "--api-url", zoo.url, "--dir", folder, "--jobs", jobs).code == 0
    check_whole(folder, {name: one for name, one in zoo.files.items() if name != "recipe.md"})


def test_a_task_at_a_level(cli, zoo, cache):
    """The zoo's one model is pruned and quantized; so it is every level's, with a word on it."""
    for arguments in (("ic", "-l", "0.5"), ("image-classification", "-l", "75%"), ("ic",)):
        outcome = cli("download", *arguments, "--catalog", zoo.url)
        assert (outcome.code, outcome.out) == (0, f"{cache / PLACE}\n"), outcome
        assert outcome.err.startswith(f"note: {V1}\n")
    assert cli("download", "ic", "qa", "-l", "0.5", "--catalog", zoo.url).code == 2
    for arguments in (("ic", "qa"), ("ic", V1)):
        refused = cli("download", *arguments, "--catalog", zoo.url)
        assert (refused.code, refused.errors) == (2, ["error: only one TASK at a time"])
    refused = cli("download", V1, "-l", "0.5", "--catalog", zoo.url)
    assert refused.code == 2
    assert "hint: -l goes with a TASK; leave it out for a STUB" in refused.err
    assert cli("download", "ic", "-l", "2", "--catalog", zoo.url).code == 2
    assert cli("download", "ic", "-l", "0", "--strict", "--catalog", zoo.url).code == 3


def test_several_models(cli, zoo, new_zoo, tmp_path):
    outcome = cli("download", V1, V2, V1, "--api-url", zoo.url, "--dir", tmp_path)
    assert outcome.code == 0
    assert len(set(outcome.out.splitlines())) == len(outcome.out.splitlines())
    for line in outcome.out.splitlines():
        check_whole(line, RUN)


def test_one_of_several_that_cannot_be_had(cli, zoo, tmp_path):
    """The others are downloaded, the error is one, and `--json` one document."""
    other = V1.replace("labnet_v1-18", "labnet_v1-99")
    arguments = ("download", other, V1, "--catalog", zoo.url, "--dir", tmp_path)
    outcome = cli(*arguments)
    assert (outcome.code, len(outcome.errors)) == (3, 1)
    assert outcome.out == f"{tmp_path / V1.removeprefix('zoo:')}\n"
    assert other in outcome.errors[0]
    document = cli(*arguments, "--json").json
    assert [one["stub"] for one in document["models"]] == [V1]
    assert [one["stub"] for one in document["failed"]] == [other]
    assert document["error"]["exit_code"] == 3


def test_no_folder_is_named(cli, zoo):
    """As a variable of a shell that is not set comes to."""
    outcome = cli("download", V1, "--api-url", zoo.url, "--dir", "")
    assert (outcome.code, zoo.asked()) == (2, [])


def test_a_misspelt_task(cli):
    outcome = cli("download", "image-clasification")
    assert outcome.code == 2
    assert "image_classification" in outcome.err


@pytest.mark.parametrize(("recipe", "code"), [("recipe=original", 0), ("recipe_type=nope", 3)])
def test_a_recipe_of_the_stub_must_be_there(cli, new_zoo, tmp_path, recipe, code):
    zoo = new_zoo({"model.onnx": b"x" * 2000, "recipe_original.md": b"# recipe"})
    outcome = cli("download", f"{V1}?{recipe}", "--api-url", zoo.url, "--dir", tmp_path / "m")
    assert outcome.code == code
    assert code == 0 or "recipe_original.md" in outcome.err


def test_the_catalog_of_a_mirror_by_its_file(cli, zoo, tmp_path):
    for path, content in (("catalog.json", zoo.catalog()), *zoo.files.items()):
        target = tmp_path / "zoo" / (path if path == "catalog.json" else f"models/m1/{path}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    for number, place in enumerate((f"{tmp_path}/zoo/catalog.json", f"file://{tmp_path}/zoo")):
        folder = tmp_path / str(number)
        assert cli("download", V1, "--catalog", place, "--dir", folder, "--offline").code == 0
        check_whole(folder, RUN)


def test_only_the_embedded_catalog(cli):
    stub = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned95_quant-none"
    outcome = cli("download", stub)
    assert (outcome.code, outcome.out, len(outcome.errors)) == (3, "", 1)
    assert "--catalog" in outcome.err
    assert "--api-url" in outcome.err


def test_offline_with_the_model_here(cli, zoo, cache, monkeypatch):
    assert cli("download", V1, "--api-url", zoo.url).code == 0
    for name, value in {"ZOOSELECT_API_URL": zoo.url, "ZOOSELECT_OFFLINE": "1",
                        "ZOOSELECT_CACHE_DIR": str(cache)}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    zoo.close()
    events, modules = watched(
        "from zooselect.cli.main import run; sys.stdout = sys.stderr\n"
        f"assert run(['download', '{V1}']) == 0\nsys.stdout = sys.__stdout__"
    )
    assert [name for name, _ in events if name.startswith("socket.")] == []
    assert not {"requests", "urllib3"} & set(modules)


def test_offline_without_the_model(cli, zoo, cache):
    outcome = cli("download", V1, "--api-url", zoo.url, "--offline")
    assert (outcome.code, outcome.out, len(outcome.errors)) == (4, "", 1)
    assert zoo.requests == []
    assert cli("download", V1, "--offline").code == 4


def test_a_server_that_is_gone_and_a_model_that_is_here(cli, zoo, cache, monkeypatch):
    monkeypatch.setattr("zooselect.net.retry._FIRST_WAIT", 0.002)
    assert cli("download", V1, "--api-url", zoo.url).code == 0
    monkeypatch.setenv("ZOOSELECT_CACHE_TTL", "0")
    zoo.faults("/v2/graphql", *[status(500)] * 30)
    outcome = cli("download", V1, "--api-url", zoo.url)
    assert (outcome.code, outcome.out) == (0, f"{cache / PLACE}\n")
    assert "the model that is here was fetched" in outcome.err
    assert cli("download", V1, "--api-url", zoo.url, "--no-fallback").code == 5


def test_a_mirror_in_a_folder(cli, zoo, tmp_path):
    """The same catalog, read from disk: no server at all."""
    mirror = tmp_path / "mirror"
    for name, content in zoo.files.items():
        path = mirror / "models/m1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (mirror / "catalog.json").write_text(json.dumps(zoo.catalog()))
    folder = tmp_path / "model"
    assert cli("download", V1, "--catalog", mirror, "--dir", folder).code == 0
    check_whole(folder, RUN)
    assert zoo.requests == []
    (mirror / "models/m1/model.onnx").write_bytes(bytes(300_000))
    outcome = cli("download", V1, "--catalog", mirror, "--dir", tmp_path / "other")
    assert (outcome.code, len(outcome.errors)) == (6, 1)
    assert visible(tmp_path / "other") == {}


def in_a_terminal(zoo, folder, *arguments, **variables):
    """Run the command with stderr on a terminal; what it shows there, and its stdout."""
    controller, terminal = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "zooselect", "download", V1, "--api-url", zoo.url, "--dir",
         str(folder), *arguments],
        stdout=subprocess.PIPE, stderr=terminal, env={**os.environ, "TERM": "xterm", **variables},
    )  # fmt: skip
    os.close(terminal)
    shown, end = b"", time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([controller], [], [], 0.1)[0]:
            if child.poll() is not None:
                break
            continue
        try:
            data = os.read(controller, 65536)
        except OSError:  # the terminal's other end is closed
            break
        shown += data
        if not data:
            break
    out = child.stdout.read()
    child.stdout.close()
    assert child.wait(timeout=10) == 0
    os.close(controller)
    return shown, out.decode()


def test_bars_on_a_terminal(zoo, tmp_path):
    zoo.pace = 0.05
    shown, out = in_a_terminal(zoo, tmp_path / "m", COLUMNS="120")
    assert b"model.onnx" in shown
    assert b"B/s" in shown
    assert b"\x1b[3" not in shown  # bars, and no colours
    assert out == f"{tmp_path / 'm'}\n"


@pytest.mark.parametrize(
    ("arguments", "variables"), [(("--quiet",), {}), (("--json",), {}), ((), {"TERM": "dumb"})]
)
def test_no_bars(zoo, tmp_path, arguments, variables):
    shown, _ = in_a_terminal(zoo, tmp_path / "m", *arguments, **variables)
    assert shown == b""


def test_no_bars_in_a_pipe(zoo, tmp_path, process):
    outcome = process("download", V1, "--api-url", zoo.url, "--dir", tmp_path / "m")
    assert outcome == (0, f"{tmp_path / 'm'}\n", "")
    assert (tmp_path / "m" / STATE).is_dir()
