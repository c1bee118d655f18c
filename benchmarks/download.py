"""Downloads on loopback, beside curl, the real sparsezoo 1.8.1 and huggingface_hub's downloader.

All fetch from the same `zooselect serve`; curl is the floor, and hashes nothing. From an API
zooselect has an MD5 to check beside its own SHA-256; from a mirror the SHA-256 alone.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import ENVIRONMENT
from benchmarks.servers import (
    Proxy,
    free_port,
    run_peak,
    running,
    write_file,
    zooselect,
)  # fmt: skip
from tests.legacy.environments import REPOSITORY, NoEnvironmentError, environment

SIZES = (200_000_000, 1_000_000_000)
RUNS = 3
STUB = "zoo:cv/classification/benchnet-x/pytorch/bench/imagenet/base-none"
OLD_STUB = "zoo:benchnet-x-imagenet-base"
#: As many files as the models of the old zoo had.
SMALL = 13

HUB = "huggingface_hub>=1,<2"
_HUB = """
import sys
from huggingface_hub.file_download import http_get
with open(sys.argv[2], "wb") as file:
    http_get(sys.argv[1], file)
"""
_ZOO = "import sys; from sparsezoo import Model; print(Model(sys.argv[1]).onnx_model.path)"
_ZOO_ALL = "import sys; from sparsezoo import Model; Model(sys.argv[1]).download()"

Run = tuple[list[str], dict[str, str]]


def _hub() -> str | None:
    """The Python of an environment with huggingface_hub; None where it cannot be made."""
    folder = REPOSITORY / ".venv-huggingface-hub"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", HUB]
        if subprocess.run(install, check=False, capture_output=True).returncode:
            shutil.rmtree(folder)
    return str(python) if python.exists() else None


def _old() -> str | None:
    try:
        return str(environment("sparsezoo"))
    except NoEnvironmentError:
        return None


def _large(folder: Path, size: int, old: str | None, hub: str | None) -> None:
    root = folder / str(size)
    blocks = [os.urandom(1_000_000) for _ in range(20)] * (size // 20_000_000)
    file = write_file(root, "models/0/model.onnx", blocks, "onnx")
    _catalog(root, [file])
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    out = folder / "out"

    def zooselect_run(option: str) -> Run:
        command = [sys.executable, "-m", "zooselect", "download", STUB, option, url]
        return [*command, "--dir", str(out), "--no-fallback"], {"ZOOSELECT_CACHE_DIR": f"{out}c"}

    runs: dict[str, Callable[[], Run]] = {
        "curl": lambda: (["curl", "-sf", "-o", str(out), f"{url}/models/0/model.onnx"], {}),
        "zooselect, from a mirror": lambda: zooselect_run("--catalog"),
        "zooselect, from an API": lambda: zooselect_run("--api-url"),
    }
    if hub is not None:
        file_url = f"{url}/models/0/model.onnx"
        runs["huggingface_hub http_get"] = lambda: ([hub, "-c", _HUB, file_url, str(out)], {})
    if old is not None:
        home = {"SPARSEZOO_API_URL": url, "SPARSEZOO_MODELS_PATH": str(out), "HOME": f"{out}c"}
        runs["sparsezoo 1.8.1"] = lambda: ([old, "-c", _ZOO, OLD_STUB], home)
    times: dict[str, list[float]] = {name: [] for name in runs}
    peaks: dict[str, float] = {}
    with running(zooselect(root, port), port):
        for _ in range(RUNS + 1):
            for name, run in runs.items():
                _clean(out)
                os.sync()
                taken, peak = run_peak(*run())
                times[name].append(taken)
                peaks[name] = max(peak, peaks.get(name, 0.0))
    _clean(out)
    floor = statistics.median(times["curl"][1:])
    for name, taken_each in times.items():
        median = statistics.median(taken_each[1:])
        print(
            f"{size / 1e6:5.0f} MB  {name:<26} {median:6.2f} s {median / floor:5.2f} x curl,"
            f" peak {peaks[name]:5.0f} MiB"
        )


def _small(folder: Path, old: str | None) -> None:
    root = folder / "small"
    names = ["model.onnx", *(f"training/file{number}.bin" for number in range(SMALL - 1))]
    files = [
        write_file(
            root, f"models/0/{name}", [os.urandom(10_000)],
            "onnx" if name == "model.onnx" else "training",
        )
        for name in names
    ]  # fmt: skip
    _catalog(root, files)
    port = free_port()
    out = folder / "out"
    with running(zooselect(root, port), port):
        for delay in (0.0, 0.05):
            with Proxy(port, delay) as proxy:
                url = f"http://127.0.0.1:{proxy.port}"
                ours = [sys.executable, "-m", "zooselect", "download", STUB, "--api-url", url,
                        "--only", "all", "--dir", str(out)]  # fmt: skip
                home = {
                    "SPARSEZOO_API_URL": url,
                    "SPARSEZOO_MODELS_PATH": str(out),
                    "HOME": f"{out}c",
                }
                urls = " ".join(f"{url}/models/0/{name}" for name in names)
                runs = {
                    "curl": (["sh", "-c", f"mkdir -p {out}; cd {out}; curl -sf --remote-name-all"
                              f" {urls}"], {}),
                    "zooselect": (ours, {"ZOOSELECT_CACHE_DIR": f"{out}c"}),
                }  # fmt: skip
                if old is not None:
                    runs["sparsezoo 1.8.1"] = ([old, "-c", _ZOO_ALL, OLD_STUB], home)
                for name, run in runs.items():
                    taken = []
                    for _ in range(RUNS):
                        _clean(out)
                        proxy.requests = 0
                        taken.append(run_peak(*run)[0])
                    median = statistics.median(taken)
                    print(
                        f"{SMALL} files of 10 kB, {delay * 1e3:2.0f} ms a request: {name:<16}"
                        f" {median:6.2f} s, {proxy.requests} requests"
                    )
    _clean(out)


def _catalog(root: Path, files: list[dict[str, object]]) -> None:
    model = {"stub": STUB, "stub_v2": OLD_STUB, "model_id": "m0", "folder": "models/0"}
    document = {"schema": 1, "compiled": "2026-01-01", "models": [{**model, "files": files}]}
    (root / "catalog.json").write_text(json.dumps(document), "utf-8")


def _clean(out: Path) -> None:
    for one in (out, Path(f"{out}c")):
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink(missing_ok=True)


def main() -> None:
    if not shutil.which("curl"):
        print("skipped: needs curl")
        return
    ENVIRONMENT["PYTHONUNBUFFERED"] = ""
    old, hub = _old(), _hub()
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            _large(Path(folder), size, old, hub)
        _small(Path(folder), old)


if __name__ == "__main__":
    main()
