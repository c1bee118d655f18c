"""A real S3 API on this machine: moto's server, a process of its own."""

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import time

import pytest

#: For the tests' module: sockets to this machine, and a reason where packages are missing.
MISSING = [name for name in ("s3fs", "moto", "flask_cors") if not importlib.util.find_spec(name)]
needs_s3 = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
loopback = pytest.mark.allow_hosts(["127.0.0.1"])

_KEYS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class ObjectStore:
    """The server: its address, and what it has been asked for."""

    def __init__(self, log):
        self._log = log
        self.url = None

    def log(self):
        """What the server wrote."""
        return self._log.read_text("utf-8", "replace")

    def requests(self, method):
        """The paths that were asked for by a method, in order."""
        return re.findall(rf'"(?:\x1b\[\d+m)*{method} (\S+) HTTP', self.log())


def _forget():
    """Have no connection to another store come back: fsspec keeps them by their settings."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


@contextlib.contextmanager
def running(folder):
    """Run an object store, and let this process and its children find it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                patch.delenv(name)
        for name, value in _KEYS.items():
            patch.setenv(name, value)
        store = ObjectStore(folder / "moto.log")
        with open(folder / "moto.log", "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            end = time.monotonic() + 30
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", store.log())):
                assert process.poll() is None, store.log()
                assert time.monotonic() < end, "moto did not start"
                time.sleep(0.05)
            store.url = found.group()
            patch.setenv("AWS_ENDPOINT_URL", store.url)
            _forget()
            yield store
        finally:
            _forget()
            process.kill()
            process.wait()
