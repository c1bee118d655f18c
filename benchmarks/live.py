"""One selection asked of a server, beside the real `sparsezoo.search_models`; and from the cache.

The server is `zooselect serve` with a mirror of so many models of one task, once at hand and
once behind 50 ms a request. The floor of whole processes is bare Python.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import ENVIRONMENT, interleaved
from benchmarks.servers import Proxy, free_port, running, write_mirror, zooselect
from tests.legacy.environments import NoEnvironmentError, environment
from zooselect import Catalog, open_catalog, resolve
from zooselect.settings import Settings

COUNTS = (10, 100, 300, 3000)
DELAYS = (0.0, 0.05)
RUNS = 3
#: The old client asks once a model: minutes, beyond this.
PATIENCE = 40.0

SEARCH = """
import sys, time
from sparsezoo import search_models
start = time.perf_counter()
found = search_models(domain="cv", sub_domain="classification")
print(len(found), time.perf_counter() - start)
"""


def classifiers(count: int) -> list[dict[str, Any]]:
    """Return so many records of image classification, copies under new names among them."""
    known: list[dict[str, Any]] = [
        one.to_dict() for one in Catalog.embedded().at("cv", "classification")
    ]
    known = [one for one in known if one["stub"].count("/") == 6]
    records = []
    for number in range(count):
        record = dict(known[number % len(known)])
        copy = number // len(known)
        if copy:
            tag = f"{record['sparse_tag'].replace('-', '.')}.copy{copy}"
            record["stub"] = record["stub"].removesuffix(record["sparse_tag"]) + tag
            record["sparse_tag"] = tag
        records.append({key: one for key, one in record.items() if key != "stub_v2"})
    return records


def _ours(url: str, folder: str) -> float:
    """Seconds of a selection in a running process, that asks the server."""
    taken = []
    for _ in range(RUNS):
        settings = Settings(api_url=url, cache_dir=folder, refresh=True, no_fallback=True)
        start = time.perf_counter()
        resolve("image_classification", 0.5, catalog=open_catalog(settings=settings))
        taken.append(time.perf_counter() - start)
    return sorted(taken)[RUNS // 2]


def _theirs(python: str, url: str) -> float:
    done = subprocess.run(
        [python, "-c", SEARCH],
        env={**ENVIRONMENT, "SPARSEZOO_API_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    try:
        python: str | None = str(environment("sparsezoo"))
    except NoEnvironmentError as error:
        print(f"without sparsezoo: {error}")
        python = None
    print("models  delay a request    zooselect  requests    sparsezoo 1.8.1  requests      ratio")
    with tempfile.TemporaryDirectory() as folder:
        for count in COUNTS:
            root = Path(folder) / str(count)
            write_mirror(root, classifiers(count), b"x")
            port = free_port()
            with running(zooselect(root, port), port):
                for delay in DELAYS:
                    with Proxy(port, delay) as proxy:
                        url = f"http://127.0.0.1:{proxy.port}"
                        ours = _ours(url, f"{folder}/cache")
                        requests = proxy.requests // RUNS
                        line = f"{count:>6} {delay * 1e3:>13.0f} ms {ours:>10.3f} s {requests:>8}"
                        if python is not None and count * (delay + 0.002) < PATIENCE:
                            proxy.requests = 0
                            theirs = _theirs(python, url)
                            line += (
                                f" {theirs:>17.3f} s {proxy.requests:>8} {theirs / ours:>9.0f} x"
                            )
                        print(line)
        _cached(Path(folder))


def _cached(folder: Path) -> None:
    """Whole processes that are answered from the disk cache, the server gone."""
    root, cache = folder / "430", folder / "cached"
    write_mirror(root, [one.to_dict() for one in Catalog.embedded()], b"x")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    resolve_ic = [sys.executable, "-m", "zooselect", "resolve", "image-classification"]
    sources = {"an API's answer": "ZOOSELECT_API_URL", "a mirror's catalog": "ZOOSELECT_CATALOG"}
    ENVIRONMENT["ZOOSELECT_CACHE_DIR"] = str(cache)
    with running(zooselect(root, port), port):
        for variable in sources.values():
            subprocess.run(
                resolve_ic, env={**ENVIRONMENT, variable: url}, check=True, capture_output=True
            )
    for what, variable in sources.items():
        ENVIRONMENT[variable] = url
        bare, cached = interleaved([[sys.executable, "-c", "pass"], resolve_ic], 11)
        del ENVIRONMENT[variable]
        print(f"resolve from the cache, {what:<20} {cached * 1e3:6.0f} ms {cached / bare:5.1f} x")
    size = json.loads(
        subprocess.run(
            [sys.executable, "-m", "zooselect", "cache", "ls", "--json"],
            env=ENVIRONMENT, capture_output=True, check=True,
        ).stdout
    )["bytes"]  # fmt: skip
    print(f"both answers in the cache: {size:,} bytes")


if __name__ == "__main__":
    main()
