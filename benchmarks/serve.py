"""`zooselect serve` on loopback: searches a second, and a large file against other servers.

The floor of a file is nginx where it is installed, and Python's `http.server`. Needs curl.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.catalogs import grown
from benchmarks.servers import free_port, peak_mib, running, write_mirror, zooselect

SIZES = (430, 10_000)
CLIENTS = (1, 10, 50)
SECONDS = 3.0
RUNS = 5
LARGE = 1_000_000_000
AT_ONCE = 20

SEARCH = json.dumps(
    {"query": '{ models (domain: "cv",task: "segmentation",) { modelId stub } }'}
).encode()

_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
events {{}}
http {{
  access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def _search(port: int, until: float, results: Any) -> None:
    """Search over and over, each time on a new connection as the old clients do."""
    taken, failed = [], 0
    while time.time() < until:
        start = time.perf_counter()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("POST", "/v2/graphql", SEARCH, {"Content-Type": "application/json"})
            failed += b'"errors"' in connection.getresponse().read()
            connection.close()
        except OSError:
            failed += 1
        taken.append(time.perf_counter() - start)
    results.put((taken, failed))


def _searches(port: int, clients: int) -> tuple[float, float, float, int]:
    """Searches a second, median and 99th percentile seconds, and how many failed."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    until = time.time() + SECONDS
    processes = [
        context.Process(target=_search, args=(port, until, results)) for _ in range(clients)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    taken = sorted(one for times, _ in found for one in times)
    failed = sum(count for _, count in found)
    return (
        len(taken) / SECONDS,
        statistics.median(taken),
        taken[int(len(taken) * 0.99)],
        failed,
    )


def _curl(url: str) -> float:
    start = time.perf_counter()
    subprocess.run(["curl", "-sf", "-o", os.devnull, url], check=True)
    return time.perf_counter() - start


def _measure_searches(folder: Path) -> None:
    print("models  clients   searches/s     median        p99   failed")
    for count in SIZES:
        root = folder / str(count)
        write_mirror(root, grown(count), b"x")
        port = free_port()
        with running(zooselect(root, port), port):
            for clients in CLIENTS:
                rate, median, p99, failed = _searches(port, clients)
                print(
                    f"{count:>6} {clients:>8} {rate:>12.0f} {median * 1e3:>7.1f} ms"
                    f" {p99 * 1e3:>7.1f} ms {failed:>8}"
                )


def _measure_file(folder: Path) -> None:
    root = folder / "large"
    write_mirror(root, [{"stub": "zoo:a-b-c"}], b"x")
    path = "models/0/model.onnx"
    with (root / path).open("r+b") as file:
        for _ in range(LARGE // 1_000_000):
            file.write(os.urandom(1000) * 1000)
    document = json.loads((root / "catalog.json").read_text("utf-8"))
    document["models"][0]["files"][0]["size"] = LARGE
    (root / "catalog.json").write_text(json.dumps(document), "utf-8")
    ours, python, nginx = free_port(), free_port(), free_port()
    servers = {
        "zooselect serve": (ours, zooselect(root, ours)),
        "http.server": (
            python,
            [sys.executable, "-m", "http.server", "-d", str(root), "-b", "127.0.0.1", str(python)],
        ),
    }
    if found := shutil.which("nginx"):
        home = folder / "nginx"
        home.mkdir()
        (home / "conf").write_text(_NGINX.format(folder=home, root=root, port=nginx))
        servers["nginx"] = (nginx, [found, "-c", str(home / "conf"), "-e", str(home / "error")])
        for one in (folder, *folder.rglob("*")):  # nginx's workers are another user
            one.chmod(0o755)
    else:
        print("nginx is not installed: left out")
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(running(command, port))
            for name, (port, command) in servers.items()
        }
        urls = {name: f"http://127.0.0.1:{port}/{path}" for name, (port, _) in servers.items()}
        times: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(RUNS + 1):
            for name, url in urls.items():
                times[name].append(_curl(url))
        medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
        for name, median in medians.items():
            speed = medians["zooselect serve"] / median
            print(
                f"1 GB to curl, {name:<16} {median:6.2f} s {LARGE / median / 1e6:6.0f} MB/s;"
                f" zooselect takes {speed:.2f} x"
            )
        start = time.perf_counter()
        curls = [
            subprocess.Popen(["curl", "-sf", "-o", os.devnull, urls["zooselect serve"]])
            for _ in range(AT_ONCE)
        ]
        failed = sum(curl.wait() != 0 for curl in curls)
        taken = time.perf_counter() - start
        print(
            f"{AT_ONCE} of them at once: {taken:.1f} s, {failed} failed,"
            f" peak memory {peak_mib(processes['zooselect serve']):.0f} MiB"
        )


def main() -> None:
    if not shutil.which("curl") or not Path("/proc/self/status").exists():
        print("skipped: needs curl and /proc")
        return
    with tempfile.TemporaryDirectory() as folder:
        _measure_searches(Path(folder))
        _measure_file(Path(folder))


if __name__ == "__main__":
    main()
