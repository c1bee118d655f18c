"""A small real zoo, a real server of it, and old clients in environments of their own."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.legacy.environments import HERE, NoEnvironmentError, environment
from zooselect.mirror.store import Mirror

#: Run by `make test-legacy` only: minutes, and GBs of environments.
collect_ignore = ["slow"]

NET = "zoo:cv/classification/samplenet-small/pytorch/zooselect/imagenette/"
#: Not told from plain ones by what old clients send, so they must come after those.
SCHEME = "zoo:cv/classification/samplenet-small/pytorch/zooselect/imagenette-augmented/base-none"
#: Without a sub-architecture: old clients then send none, which matches every one.
BARE = "zoo:cv/classification/samplenet/pytorch/zooselect/imagenette/base-none"
#: With files of every kind, some of them hard to name in a URL.
FULL = "zoo:cv/classification/samplenet-full/pytorch/zooselect/imagenette/base-none"
#: Nothing but `model.onnx` and each engine's sample outputs; a v2 name only.
LONE = "zoo:samplenet-lone-imagenette-base"
#: Whole rows, and rows that lack what an old client cannot do without.
RESULTS = {
    "results": [
        {"metric": "top1_accuracy", "value": 70.5, "units": "%", "dataset": "imagenette"},
        {"metric": "top1_accuracy", "value": 71.5, "units": "%"},
    ],
    "throughput": [
        {"engine": "deepsparse", "device": "c6a.12xlarge", "cores": 24, "batch_size": 64,
         "value": 1000.5, "units": "items/second"},
        {"engine": "deepsparse", "device": "c6a.12xlarge", "batch_size": 1,
         "value": 50, "units": "items/second"},
        {"value": 7, "units": "items/second"},
    ],
}  # fmt: skip


class Zoo(NamedTuple):
    """A mirror and what is in it.

    Attributes:
        root: its folder.
    """

    root: Path

    def model(self, stub):
        """A model of the mirror by its stub."""
        return next(one for one in Mirror.open(self.root).models() if one.record.stub == stub)

    def files(self, stub):
        """The sha256 of each file of a model, by v2 name."""
        return {file.name: file.sha256 for file in self.model(stub).files}

    def file(self, stub, name):
        """Where a file of a model is."""
        return self.root / self.model(stub).folder / name


class Served(NamedTuple):
    """A server process.

    Attributes:
        url: its base URL.
        log: its standard error.
    """

    url: str
    log: Path

    def requests(self):
        """What it has answered so far, a dict a request."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """A mirror of the small members of the sample zoo, and of models easily mistaken."""
    folder = tmp_path_factory.mktemp("zoo")
    models, root, results = folder / "models", folder / "mirror", folder / "results.json"
    subprocess.run([sys.executable, str(HERE / "small_zoo.py"), str(models)], check=True)
    results.write_text(json.dumps(RESULTS))
    entries = json.loads((models / "models.json").read_text())
    base = models / entries[0]["folder"]
    zooselect("mirror", "init", root)
    for entry in entries:
        stated = ["--results", results] if models / entry["folder"] == base else []
        zooselect("mirror", "add", root, entry["stub"], models / entry["folder"],
                  "--alias", entry["alias"], *stated)  # fmt: skip
    for stub in (SCHEME, BARE):
        zooselect("mirror", "add", root, stub, base)
    add_files(base)
    outputs = base.glob("sample-outputs_*")
    zooselect("mirror", "add", root, LONE, base / "model.onnx", *outputs)
    (base / "sample-outputs_onnxruntime.tar.gz").unlink()
    zooselect("mirror", "add", root, FULL, base)
    return Zoo(root)


def add_files(folder):
    """Add to a model's folder what the sample zoo does not have."""
    copies = {
        "sample-inputs.tar.gz": "sample-originals.tar.gz",
        "model.onnx": "onnx/model.13.onnx",
        "recipe.md": "recipe_sparse-transfer.md",
    }
    for engine in ("deepsparse", "onnxruntime"):
        shutil.copyfile(
            folder / "sample-outputs.tar.gz", folder / f"sample-outputs_{engine}.tar.gz"
        )
    for name, copy in copies.items():
        (folder / copy).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / name, folder / copy)
    texts = ("benchmark.yaml", "benchmarks.yaml", "metrics.yaml", "analysis.yaml", "eval.yaml",
             "training/LICENSE", "training/.gitattributes",
             "training/checkpoint-1/state.json", "training/ü + & = 100 %20 #1.json")  # fmt: skip
    for name in texts:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps({"name": name}), encoding="utf-8")


def zooselect(*arguments):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "zooselect", *map(str, arguments), "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Start `zooselect serve` on a mirror; all servers stop at the end."""
    running = []

    def start(root, base_path=""):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        log = tmp_path_factory.mktemp("serve") / "log"
        url = f"http://127.0.0.1:{port}{base_path}"
        command = [sys.executable, "-m", "zooselect", "serve", str(root), "--port", str(port)]
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [*command, *(["--base-url", url] if base_path else ())], stderr=errors
            )
        running.append(process)
        for _ in range(300):
            if process.poll() is None and not _healthy(port):
                time.sleep(0.1)
        if not _healthy(port):
            pytest.fail(f"the server did not start: {log.read_text()}")
        return Served(url, log)

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=30)


def _healthy(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().read() != b""
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(scope="session")
def server(zoo, serve):
    """A server of the small zoo."""
    return serve(zoo.root)


@pytest.fixture(scope="session")
def python_of():
    """The Python of an old client's environment; the test is skipped where it cannot be made."""

    reasons = {}

    def find(name, python=None):
        try:
            if name not in reasons:
                return environment(name, python)
        except NoEnvironmentError as error:
            reasons[name] = str(error)
        return pytest.skip(reasons[name])

    return find


@pytest.fixture
def old(tmp_path):
    """Run a command of an old client as its users do, with a home and a cache of its own."""

    def run(url, command, *, timeout=120, home=tmp_path / "home", **variables):
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR")
        done = subprocess.run(
            [str(one) for one in command],
            cwd=tmp_path,
            env={
                **{name: os.environ[name] for name in kept if name in os.environ},
                "HOME": str(home),
                "SPARSEZOO_MODELS_PATH": str(home / "zoo"),
                "SPARSEZOO_API_URL": url,
                "NM_DISABLE_ANALYTICS": "1",
                "HF_HUB_OFFLINE": "1",
                **variables,
            },
            timeout=timeout,
            text=True,
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
        return done.stdout

    return run


@pytest.fixture
def ask(old):
    """Make calls of `zoo_client.py` in an old client's environment; returns their outcomes."""

    def call(python, url, *calls, **options):
        out = old(url, [python, HERE / "zoo_client.py", json.dumps(calls)], **options)
        return json.loads(out.splitlines()[-1])

    return call


def digests(folder):
    """The sha256 of each file in a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }
