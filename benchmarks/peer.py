"""The same question asked of the real sparsezoo 1.8.1, where it can be installed.

sparsezoo answers nothing without a server, so `zooselect serve` serves it the embedded
catalog as a mirror. zooselect itself needs no server.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ENVIRONMENT, interleaved, wall
from benchmarks.servers import Proxy, free_port, running, write_mirror, zooselect
from benchmarks.start import RESOLVE
from tests.legacy.environments import NoEnvironmentError, environment
from zooselect import Catalog

RUNS = 5


def main() -> None:
    try:
        python = environment("sparsezoo")
    except NoEnvironmentError as error:
        print(f"skipped: {error}")
        return
    search = [str(python.parent / "sparsezoo"), "search", "--domain", "cv",
              "--sub-domain", "classification", "--dataset", "imagenet"]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        write_mirror(Path(folder), [one.to_dict() for one in Catalog.embedded()], b"x")
        port = free_port()
        with running(zooselect(Path(folder), port), port), Proxy(port, 0.0) as proxy:
            ENVIRONMENT["SPARSEZOO_API_URL"] = f"http://127.0.0.1:{proxy.port}"
            wall(search)
            requests = proxy.requests
            ENVIRONMENT["SPARSEZOO_API_URL"] = f"http://127.0.0.1:{port}"
            its_bare, its_import, its_search = interleaved(
                [
                    [str(python), "-c", "pass"],
                    [str(python), "-c", "import sparsezoo"],
                    search,
                ],
                RUNS,
            )
            # Set, it would be asked by zooselect, too.
            del ENVIRONMENT["SPARSEZOO_API_URL"]
    bare, ours = interleaved([[sys.executable, "-c", "pass"], RESOLVE], RUNS)
    print(f"zooselect resolve image-classification {ours:8.3f} s {ours / bare:6.1f} x, 0 requests")
    print(
        f"import sparsezoo                       {its_import:8.3f} s {its_import / its_bare:6.1f} x"
    )
    print(
        f"sparsezoo search, imagenet classifiers {its_search:8.3f} s"
        f" {its_search / its_bare:6.1f} x, {requests} requests"
    )
    home = python.parent.parent
    size = sum(one.stat().st_size for one in home.rglob("*") if one.is_file())
    print(f"installed with what it needs           {size / 1e6:8.0f} MB")


if __name__ == "__main__":
    main()
