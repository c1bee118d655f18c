"""Servers that are measured, and what stands between them and a client."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import ENVIRONMENT

_CHUNK = 1 << 18


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, from when it listens until it is no longer wanted."""
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()


def zooselect(root: Path, port: int) -> list[str]:
    """The command that serves a mirror."""
    return [sys.executable, "-m", "zooselect", "serve", str(root), "--port", str(port), "-q"]


def write_mirror(root: Path, records: list[dict[str, Any]], content: bytes) -> None:
    """Write a mirror of records, each with one file of the same content."""
    models = []
    for number, record in enumerate(records):
        folder = f"models/{number}"
        files = [write_file(root, f"{folder}/model.onnx", [content], "onnx")]
        models.append({**record, "model_id": f"m{number}", "folder": folder, "files": files})
    document = {"schema": 1, "compiled": "2026-01-01", "models": models}
    (root / "catalog.json").write_text(json.dumps(document), "utf-8")


def write_file(root: Path, path: str, blocks: Sequence[bytes], kind: str) -> dict[str, Any]:
    """Write a file of a mirror, and return its entry in the catalog."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(), 0
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    with (root / path).open("wb") as file:
        for block in blocks:
            file.write(block)
            sha256.update(block)
            md5.update(block)
            size += len(block)
    return {
        "name": path.split("/", 2)[2],
        "type": kind,
        "size": size,
        "sha256": sha256.hexdigest(),
        "md5": md5.hexdigest(),
    }


class Proxy:
    """Stands before a server, counts requests, and holds each back for a while.

    Attributes:
        port: where clients find it.
        requests: how many there were.
    """

    def __init__(self, server: int, seconds: float) -> None:
        self.port = free_port()
        self.requests = 0
        self._server = server
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Proxy:
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._client, "127.0.0.1", self.port, limit=_CHUNK)
        self._loop.run_until_complete(serving)
        started.set()
        self._loop.run_forever()
        open_still = asyncio.all_tasks(self._loop)
        for task in open_still:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*open_still, return_exceptions=True))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            ahead, out = await asyncio.open_connection("127.0.0.1", self._server, limit=_CHUNK)
            await asyncio.gather(self._pass(reader, out, True), self._pass(ahead, writer, False))

    async def _pass(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, asks: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                if asks and data.startswith((b"GET ", b"POST ", b"HEAD ")):
                    self.requests += 1
                    await asyncio.sleep(self._seconds)
                to.write(data)
                await to.drain()
        with contextlib.suppress(OSError):
            to.close()


def peak_mib(process: subprocess.Popen[bytes]) -> float:
    """Most memory a process has had, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    line = next(one for one in status.splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


#: Runs a command as the child of a small process: on Linux the most memory of a process counts
#: what it was copied from.
_MEASURED = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
code = os.waitstatus_to_exitcode(status)
print(time.perf_counter() - start, usage.ru_maxrss, code, file=sys.stderr)
"""


def run_peak(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds a command takes, and the most memory it has had, in MiB.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    measured = subprocess.run(
        [sys.executable, "-SEc", _MEASURED, *command],
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )
    taken, peak, code = measured.stderr.split()[-3:]
    if int(code):
        raise subprocess.CalledProcessError(int(code), command)
    return float(taken), int(peak) / 1024
