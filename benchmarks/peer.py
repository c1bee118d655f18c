"""The same question asked of the real sparsezoo 1.8.1, where it can be installed.

sparsezoo answers nothing without a server, so a stand-in on loopback serves it the embedded
catalog over the GraphQL its 1.8 client speaks. zooselect needs no server.
"""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
import time
from typing import Any

from benchmarks.measure import ENVIRONMENT, interleaved
from benchmarks.start import RESOLVE
from tests.legacy.environments import NoEnvironmentError, environment
from zooselect import Catalog
from zooselect.stub import Stub

RUNS = 5

#: The client's names for what it filters by, and how a v1 stub's parts are called.
_ARGUMENTS = {
    "domain": "domain", "task": "sub_domain", "architecture": "architecture",
    "subArchitecture": "sub_architecture", "framework": "framework", "repo": "repo",
    "sourceDataset": "source_dataset", "sparseTag": "sparse_tag",
}  # fmt: skip


class _Zoo(http.server.BaseHTTPRequestHandler):
    """Answers `models(…)` by equality, as far as a search and a look-up need it."""

    requests = 0

    def do_POST(self) -> None:
        type(self).requests += 1
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"]
        wanted = dict(re.findall(r'(\w+): "([^"]*)"', query))
        found = [_answer(record.stub) for record in Catalog.embedded() if _matches(record, wanted)]
        body = json.dumps({"data": {"models": found}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _matches(record: Any, wanted: dict[str, str]) -> bool:
    if "repoName" in wanted:
        return bool(record.stub.removeprefix("zoo:") == wanted["repoName"])
    return all(getattr(record, _ARGUMENTS[key]) == value for key, value in wanted.items())


def _answer(stub: str) -> dict[str, Any]:
    name = Stub.parse(stub).path.replace("/", "-")
    return {
        "modelId": name,
        "stub": stub,
        "repoName": name,
        "repoNamespace": "bench",
        "modelOnnxSizeCompressedBytes": 1,
        "files": [
            {"displayName": "model.onnx", "downloadUrl": "http://127.0.0.1/none",
             "fileSize": 1, "fileType": "onnx", "modelId": name}
        ],
        "benchmarkResults": [],
        "trainingResults": [],
    }  # fmt: skip


def main() -> None:
    try:
        python = environment("sparsezoo")
    except NoEnvironmentError as error:
        print(f"skipped: {error}")
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Zoo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ENVIRONMENT["SPARSEZOO_API_URL"] = f"http://127.0.0.1:{server.server_address[1]}"
    search = [str(python.parent / "sparsezoo"), "search", "--domain", "cv",
              "--sub-domain", "classification", "--dataset", "imagenet"]  # fmt: skip
    try:
        bare, ours, its_bare, its_import, its_search = interleaved(
            [
                [sys.executable, "-c", "pass"],
                RESOLVE,
                [str(python), "-c", "pass"],
                [str(python), "-c", "import sparsezoo"],
                search,
            ],
            RUNS,
        )
        before = _Zoo.requests
        start = time.perf_counter()
        subprocess.run(search, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
        taken = time.perf_counter() - start
        requests = _Zoo.requests - before
    finally:
        server.shutdown()
        server.server_close()
    print(f"zooselect resolve image-classification {ours:8.3f} s {ours / bare:6.1f} x, 0 requests")
    print(
        f"import sparsezoo                       {its_import:8.3f} s {its_import / its_bare:6.1f} x"
    )
    print(
        f"sparsezoo search, imagenet classifiers {its_search:8.3f} s"
        f" {its_search / its_bare:6.1f} x, {requests} requests ({taken:.2f} s in the counted run)"
    )
    folder = python.parent.parent
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    print(f"installed with what it needs           {size / 1e6:8.0f} MB")


if __name__ == "__main__":
    main()
