"""What was exported to a folder, behind a static web host: whole over plain HTTP."""

import errno
import hashlib
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from functools import partial

import pytest

from tests.mirror.samples import V1, V2, files_of, new, put, write
from zooselect.mirror.export import destination, export
from zooselect.mirror.remote import open_store
from zooselect.mirror.store import parse_catalog

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def mirror(tmp_path):
    """A mirror of a model."""
    made = new(tmp_path / "zoo")
    put(made, V1, write(tmp_path / "model", files_of()), alias=V2)
    return made


def fetch(url):
    """What a plain HTTP client gets."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def check_static_host(base, mirror):
    """A catalog and all its files are whole over plain HTTP."""
    listing = parse_catalog(fetch(f"{base}/catalog.json"), base)
    assert listing.models == mirror.models()
    for model in listing.models:
        for file in model.files:
            content = fetch(f"{base}/{model.folder}/{file.name}")
            assert hashlib.sha256(content).hexdigest() == file.sha256


def test_pythons_web_server(mirror, tmp_path):
    export(mirror, destination(str(tmp_path / "web" / "zoo")))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = partial(Quiet, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            base = f"http://127.0.0.1:{server.server_address[1]}/zoo"
            check_static_host(base, mirror)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def nginx(tmp_path):
    """The address at which nginx serves a folder of this test, and the folder."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    web, run = tmp_path / "web", tmp_path / "nginx"
    web.mkdir()
    run.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {run}/{kind};" for kind in kinds)
    (run / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} worker_processes 1; pid {run}/pid;"
        "events { worker_connections 64; }"
        f"http {{ access_log off; {paths}"
        f"server {{ listen 127.0.0.1:{port}; root {web}; }} }}"
    )
    command = [program, "-e", str(run / "log"), "-p", str(run), "-c", str(run / "nginx.conf")]
    process = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError as error:
                if error.errno != errno.ECONNREFUSED:
                    raise
                assert process.poll() is None, (run / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.02)
        yield f"http://127.0.0.1:{port}", web
    finally:
        process.terminate()
        process.wait(10)


def test_nginx(mirror, nginx):
    base, web = nginx
    export(mirror, destination(str(web / "zoo")))
    check_static_host(f"{base}/zoo", mirror)
    # Also by fsspec: any static host can stand behind `serve`.
    pytest.importorskip("aiohttp")
    there, here = open_store(f"{base}/zoo"), mirror
    assert there.content() == here.content()
    assert there.stamp() is not None
    assert there.stamp() == there.stamp()
    model = mirror.models()[0]
    opened = there.open_file(model, model.files[-1])
    opened.seek(1)
    assert opened.read(3) == here.file_path(model, model.files[-1].name).read_bytes()[1:4]
    opened.close()
