"""`zooselect cache` for models: listed, removed, pruned, verified, mended."""

import os
import time

import pytest

from tests.downloads.children import ended, start
from tests.downloads.conftest import CONTENT, FILES
from tests.downloads.disk import check_whole, private
from tests.downloads.zoo_server import V1, V2, cut, status
from zooselect.downloads.folder import folder_of
from zooselect.downloads.private import private_path, release
from zooselect.stub import Stub

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RUN = {name: FILES[name] for name in FILES if name != "recipe.md"}


@pytest.fixture
def model(cli, zoo, cache):
    """A model in the cache."""
    assert cli("download", V1, "--api-url", zoo.url).code == 0
    return folder_of(cache, Stub.parse(V1))


@pytest.fixture
def unfinished(cli, new_zoo, cache):
    """A download that broke off; of another server, so that its parts are all there is."""
    zoo = new_zoo()
    zoo.faults("model.onnx", cut(0.5), *[status(404)] * 9)
    assert cli("download", V1, "--api-url", zoo.url).code == 5
    return folder_of(cache, Stub.parse(V1))


def test_ls(cli, model):
    (found,) = cli("cache", "ls", "--json").json["models"]
    assert (found["stub"], found["folder"]) == (V1, str(model))
    assert (found["bytes"], found["files"]) == (sum(map(len, RUN.values())), 3)
    assert V1 in cli("cache", "ls").out


@pytest.mark.parametrize("name", [V1, V2, V1.removeprefix("zoo:")])
def test_rm(cli, model, cache, name):
    assert cli("cache", "rm", name, "--dry-run").out == f"{V1}\n"
    check_whole(model, RUN)
    assert cli("cache", "rm", name).out == f"{V1}\n"
    assert list((cache / "models").iterdir()) == []
    assert cli("cache", "rm", name).code == 3


@pytest.mark.parametrize(
    ("arguments", "stays"),
    [
        ((), True), (("--older-than", "1h"), True), (("--older-than", "0s"), False),
        (("--max-size", "1MB"), True), (("--max-size", "1kB"), False),
    ],
)  # fmt: skip
def test_prune(cli, model, arguments, stays):
    time.sleep(0.01)
    assert cli("cache", "prune", *arguments, "--dry-run").out == ("" if stays else f"{V1}\n")
    check_whole(model, RUN)
    assert cli("cache", "prune", *arguments).code == 0
    assert model.exists() is stays


def test_what_broke_off_goes(cli, unfinished):
    assert private(unfinished) != []
    (folder,) = cli("cache", "prune", "--json").json["folders"]
    assert folder == str(unfinished)
    assert not unfinished.exists()


def test_what_is_under_way_stays(cli, zoo, cache):
    """A prune beside a running download, and `rm --all`."""
    zoo.pace = 0.05
    folder = folder_of(cache, Stub.parse(V1))
    child = start(zoo.url, folder)
    while not list(folder.glob(".zooselect-model/*.part")):
        time.sleep(0.01)
    for command in (("prune",), ("rm", "--all")):
        outcome = cli("cache", *command)
        assert (outcome.code, outcome.out) == (0, "")
        assert "left alone" in outcome.err
    assert ended(child) == 0
    check_whole(folder, RUN)


def test_what_others_left_beside_a_whole_model_goes(cli, model):
    part = private_path(model / ".zooselect-model", "model.onnx", "part")
    for path in (part, part.with_name(part.name + ".json")):
        path.write_bytes(b"{}")
    release(part)
    assert len(private(model)) == 2
    assert cli("cache", "prune").code == 0
    check_whole(model, RUN)


def harm(path):
    """Change content and nothing that can be seen from outside."""
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_verify(cli, zoo, model):
    assert cli("cache", "verify").code == 0
    harm(model / "model.onnx")
    (model / "deployment/config.json").unlink()
    outcome = cli("cache", "verify")
    assert (outcome.code, len(outcome.errors)) == (6, 1)
    assert outcome.out.splitlines() == [
        f"damaged  {V1}: deployment/config.json", f"damaged  {V1}: model.onnx",
    ]  # fmt: skip
    found = cli("cache", "verify", "--json").json
    assert found["error"]["exit_code"] == 6
    assert [one["files"] for one in found["damaged_models"]] == [
        ["deployment/config.json", "model.onnx"]
    ]
    before = len(zoo.asked("deployment/model.onnx"))
    assert cli("cache", "verify", "--fix", "--api-url", zoo.url).code == 0
    check_whole(model, RUN)
    assert len(zoo.asked("deployment/model.onnx")) == before
    assert cli("cache", "verify").code == 0


def test_damage_of_a_model_whose_keeper_is_not_asked(cli, zoo, model):
    harm(model / "model.onnx")
    outcome = cli("cache", "verify", "--fix")
    assert outcome.code == 6
    assert f"hint: it was fetched from {zoo.url}: --api-url {zoo.url}\n" in outcome.err


def test_what_cannot_be_mended_stays_as_it_is(cli, new_zoo, zoo, cache, model):
    """One server is gone: the other models are mended all the same."""
    harm(model / "model.onnx")
    damaged = (model / "model.onnx").read_bytes()
    zoo.faults("model.onnx", *[status(404)] * 9)
    outcome = cli("cache", "verify", "--fix", "--api-url", zoo.url, "--json")
    assert outcome.code == 6
    (found,) = outcome.json["damaged_models"]
    assert "404" in found["error"]
    assert (model / "model.onnx").read_bytes() == damaged
    assert cli("download", V1, "--offline").code == 4
    zoo.faults("model.onnx")
    assert cli("cache", "verify", "--fix", "--api-url", zoo.url).code == 0
    check_whole(model, RUN)


def test_a_broken_manifest(cli, zoo, model):
    (model / ".zooselect-model/manifest.json").write_text("{")
    outcome = cli("cache", "verify")
    assert (outcome.code, outcome.out) == (6, f"damaged  {V1}: its manifest\n")
    assert cli("cache", "verify", "--fix", "--api-url", zoo.url).code == 0
    check_whole(model, RUN)
    assert (model / "model.onnx").read_bytes() == CONTENT
