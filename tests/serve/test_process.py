"""The server as a process on loopback: slow, many, leaving and hostile clients."""

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib

import pytest

from tests.report.browser import CHROMIUM, Browser
from tests.serve.zoos import BASE, FILES, model, write, write_catalog
from zooselect.serve.app import MAX_BODY
from zooselect.serve.connection import MAX_REQUEST

pytestmark = [
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

#: Runs the command line with bounds of the package changed, as `module.NAME=value`.
RUN = """
import importlib, sys
bounds, arguments = sys.argv[1].split(), sys.argv[2:]
for bound in bounds:
    name, _, value = bound.partition("=")
    module, _, name = name.rpartition(".")
    setattr(importlib.import_module("zooselect.serve." + module), name, eval(value))
from zooselect.cli.main import run
sys.exit(run(arguments))
"""
LARGE = 50_000_000
PATH = "/v2/models/m1/files/model.onnx"
SEARCH = json.dumps({"query": '{ models (domain: "cv",) { stub } }'}).encode()


class Running:
    """A server process and where it listens."""

    def __init__(self, root, log, *arguments, bounds=""):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._log = log
        command = [sys.executable, "-c", RUN, bounds, "serve", str(root), *arguments]
        with log.open("wb") as stderr:
            self.process = subprocess.Popen([*command, "--port", str(self.port)], stderr=stderr)
        deadline = time.monotonic() + 20
        while b"200" not in self.try_get("/healthz"):
            assert time.monotonic() < deadline, self.log
            assert self.process.poll() is None, self.log
            time.sleep(0.03)

    def connect(self, **options):
        return socket.create_connection(("127.0.0.1", self.port), **{"timeout": 20, **options})

    def try_get(self, path):
        try:
            return self.get(path)
        except OSError:
            return b""

    def get(self, path, method="GET", **headers):
        return self.send(request(path, method, **headers))

    def post(self, path, body):
        return self.send(request(path, "POST", content_length=len(body)) + body)

    def send(self, content):
        """Send bytes on a connection of their own, and return all that comes back."""
        with self.connect() as client:
            client.sendall(content)
            return rest_of(client)

    @property
    def alive(self):
        return b'"status": "ok"' in self.get("/healthz")

    @property
    def log(self):
        return self._log.read_text()

    @property
    def lines(self):
        """The access log: the lines after the note."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def memory(self):
        """Most memory it ever had, in MiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


def request(path, method="GET", **headers):
    headers = {"host": "zoo", "connection": "close", **headers}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1")


def rest_of(client):
    content = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while got := client.recv(1 << 20):
            content += got
    return content


def closes(client, within):
    """Whether the server closes a connection in time."""
    client.settimeout(within)
    try:
        return rest_of(client) is not None
    except TimeoutError:
        return False


@pytest.fixture(scope="module")
def large():
    return os.urandom(1 << 20) * (LARGE >> 20) + bytes(LARGE % (1 << 20))


@pytest.fixture(scope="module")
def root(tmp_path_factory, large):
    folder = tmp_path_factory.mktemp("process") / "zoo"
    contents = {**FILES, "model.onnx": large}
    write(folder, model(BASE + "base-none", contents, model_id="m1"))
    (folder / "secret").write_bytes(b"not in the list")
    return folder


@pytest.fixture(scope="module")
def server(root, tmp_path_factory):
    """A server of its defaults that tests share; they leave it running."""
    running = Running(root, tmp_path_factory.mktemp("log") / "log")
    yield running
    running.stop()


@pytest.fixture
def start(tmp_path):
    """Start a server of its own."""
    started = []

    def go(root, *arguments, **options):
        started.append(Running(root, tmp_path / f"log{len(started)}", *arguments, **options))
        return started[-1]

    yield go
    for running in started:
        running.stop()


@pytest.fixture(scope="module")
def impatient(root, tmp_path_factory):
    """A server whose patience is short."""
    running = Running(
        root,
        tmp_path_factory.mktemp("log") / "log",
        bounds="connection.REQUEST_TIMEOUT=0.6 connection.STALL_TIMEOUT=1.0 app.BODY_TIMEOUT=0.3"
        " connection.MAX_CONNECTIONS=30",
    )
    yield running
    running.stop()


def test_what_old_clients_send(server, large):
    answer = server.post("/v2/graphql", SEARCH)
    assert answer.endswith(b'{"data": {"models": [{"stub": "zoo:resnet_v1-50-imagenet-base"}]}}')
    head = server.get(PATH, "HEAD", accept_encoding="identity")
    assert b"content-length: 50000000\r\n" in head
    assert b"accept-ranges: bytes\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    body = server.get(PATH, range=f"bytes=0-{LARGE}").partition(b"\r\n\r\n")[2]
    assert body == large
    past = server.get(PATH, range=f"bytes={LARGE}-{LARGE}")
    assert past.startswith(b"HTTP/1.1 416")
    assert past.endswith(b"\r\n\r\n")


def test_many_requests_on_one_connection(server):
    wanted = request("/models/m1/model.md", connection="keep-alive")
    with server.connect() as client:
        client.sendall(wanted * 50 + request("/models/m1/model.md"))
        assert rest_of(client).count(FILES["model.md"]) == 51


@pytest.mark.parametrize(
    "target",
    ["/../secret", "/%2e%2e/secret", "/secret", "//secret", "/models/m1/../../secret", "*", "x",
     "/models/m1/%2e%2e%2f%2e%2e%2fsecret", "/%00", "/%ff", "/\xff\xfe", "/" + "a" * 60_000,
     "http://evil/secret", "/models/m1\\..\\..\\secret", "/a b",
     "//evil/%2e%2e/secret", "/a" + "/?" * 500],
    ids=range(17),
)  # fmt: skip
def test_paths(server, target):
    for method in ("GET", "HEAD"):
        answer = server.get(target, method)
        assert answer.split(b" ")[1] in (b"404", b"400")
        assert b"not in the list" not in answer
        assert b"Traceback" not in answer
    assert "Traceback" not in server.log


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\n b: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST /v2/graphql HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /v2/graphql HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /v2/graphql HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        request("/healthz", connection="upgrade", upgrade="websocket", sec_websocket_version=13),
        request("/healthz", expect="200-ok"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=range(13),
)  # fmt: skip
def test_broken_requests(server, content):
    with server.connect(timeout=5) as client:
        client.sendall(content)
        client.shutdown(socket.SHUT_WR)
        assert b"Traceback" not in client.recv(1 << 16)
    assert server.alive
    assert "Traceback" not in server.log


def test_a_host_cannot_inject(server):
    text = json.dumps({"query": "{ models { files { downloadUrl } } }"}).encode()
    head = f"POST /v2/graphql HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(text)}\r\n"
    for host in ("evil\r\nhost: other", 'a"b', "a/b", "a b", "\xff"):
        answer = server.send(f"{head}host: {host}\r\n\r\n".encode("latin-1") + text)
        if answer.startswith(b"HTTP/1.1 200"):
            assert f'"http://127.0.0.1:{server.port}/v2/models/'.encode() in answer
            assert b"evil" not in answer.partition(b"\r\n\r\n")[2]


def test_giant_requests(server):
    def send(*parts):
        answer = b""
        with server.connect() as client, contextlib.suppress(OSError):
            for part in parts:
                client.sendall(part)
            client.settimeout(5)
            answer = client.recv(1 << 16)
        return answer

    before = server.memory
    many = 64_000_000
    assert not send(b"GET / HTTP/1.1\r\nx: ", *[b"a" * 10_000] * (many // 10_000))
    assert not send(b"GET / HTTP/1.1\r\n", *[b"x: y\r\n" * 2000] * (many // 12_000))
    assert not send(b"GET /", *[b"a" * 10_000] * (many // 10_000))
    head = request("/v2/graphql", "POST", content_length=many)
    answer = send(head, *[b"a" * 10_000] * (many // 10_000))
    assert not answer or b"413" in answer
    chunked = request("/v2/graphql", "POST", transfer_encoding="chunked")
    answer = send(chunked, *[b"2710\r\n" + b"a" * 10_000 + b"\r\n"] * (many // 10_000))
    assert not answer or b"413" in answer
    assert not send(chunked, b"0\r\n", *[b"x: y\r\n" * 2000] * (many // 12_000))
    assert not send(chunked, b"5;", *[b"x" * 10_000] * (many // 10_000))
    assert MAX_BODY < MAX_REQUEST
    body = b"x" * (MAX_BODY + 1)
    assert b" 413 " in server.post("/v2/graphql", body)
    assert server.alive
    assert server.memory - before < 30


def test_twenty_downloads_at_once(server, large):
    wanted, found = zlib.crc32(large), []

    def download():
        with server.connect() as client:
            client.sendall(request(PATH))
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1000)
            content = head.partition(b"\r\n\r\n")[2]
            check, size = zlib.crc32(content), len(content)
            while content := client.recv(1 << 20):
                check, size = zlib.crc32(content, check), size + len(content)
            found.append((check, size))

    threads = [threading.Thread(target=download) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(wanted, LARGE)] * 20
    assert server.memory < 150


def test_clients_that_take_nothing_or_leave(server):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(100)]
        for client in clients:
            client.sendall(request(PATH))
        time.sleep(0.5)
        assert server.alive
        assert server.memory < 150
        files = os.listdir(f"/proc/{server.process.pid}/fd")
        assert len(files) > 200
    # They left mid-download: nothing of them stays.
    deadline = time.monotonic() + 30
    while len(os.listdir(f"/proc/{server.process.pid}/fd")) > 60:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.alive
    assert "Traceback" not in server.log


SLOW = {
    "opened and left": [],
    "half a line": [b"GET /hea"],
    "headers dribbled": [b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 100],
    "blank lines dribbled": [b"\r\n"] * 100,
    "body dribbled": [request("/v2/graphql", "POST", content_length=5000), *[b" "] * 100],
    "chunks dribbled": [
        request("/auth", "POST", transfer_encoding="chunked"), *[b"1\r\nx\r\n"] * 100
    ],
    "body of a GET dribbled": [
        request("/healthz", connection="keep-alive", content_length=5000), *[b" "] * 100
    ],
    "blank lines after an answer": [request("/healthz", connection="keep-alive"), *[b"\r\n"] * 100],
    "next request dribbled": [request("/healthz", connection="keep-alive"), *[b"G", b"E"] * 50],
}  # fmt: skip


def test_slow_requests_end(impatient):
    """All at a time, each byte a tenth of a second after the other."""
    ended = {}

    def dribble(name, parts):
        start = time.monotonic()
        with impatient.connect(timeout=5) as client:
            try:
                for part in parts:
                    client.sendall(part)
                    time.sleep(0.1)
                rest_of(client)
            except TimeoutError:
                return
            except OSError:
                pass
        ended[name] = time.monotonic() - start

    threads = [threading.Thread(target=dribble, args=item) for item in SLOW.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.keys() == SLOW.keys()
    assert max(ended.values()) < 3
    assert impatient.alive


def test_clients_that_take_nothing_lose_their_connection(impatient):
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        pytest.skip("the kernel does not tell")
    with impatient.connect() as stalled, impatient.connect() as slow:
        for client in (stalled, slow):
            client.sendall(request(PATH))
        for _ in range(12):  # a slow one is no stalled one
            time.sleep(0.2)
            assert sum(len(slow.recv(1 << 16)) for _ in range(8)) > 1 << 16
        stalled.settimeout(2)
        content = rest_of(stalled)
        assert len(content) < LARGE
        error = stalled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        assert error in (0, errno.ECONNRESET)


def test_more_clients_than_there_is_room_for_see_no_page(impatient):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(impatient.connect()) for _ in range(30)]
        time.sleep(0.1)
        assert impatient.try_get(PATH) == impatient.try_get("/healthz") == b""
        del clients
    deadline = time.monotonic() + 30
    while not impatient.try_get("/healthz"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert impatient.alive


def test_a_damaged_file_closes_the_connection(start, tmp_path):
    folder = tmp_path / "zoo"
    contents = {"model.onnx": b"x" * 40_000_000, "model.md": b"card"}
    write(folder, model(BASE + "base-none", contents, model_id="m1"))
    server = start(folder)
    path = folder / "models/m1/model.onnx"
    with server.connect() as client:
        client.sendall(request(PATH))
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        os.truncate(path, 1_000_000)
        assert len(rest_of(client)) < len(contents["model.onnx"])
    for _ in range(2):
        assert server.get(PATH) == server.get(PATH, range="bytes=0-40000000") == b""
        head = server.get(PATH, "HEAD")
        assert head.startswith(b"HTTP/1.1 500")
        assert b"content-length: 0\r\n" in head
        path.unlink(missing_ok=True)
    assert server.get("/models/m1/model.md").endswith(b"card")
    assert "Traceback" not in server.log
    damaged = [line for line in server.lines if line.get("level") == "warning"]
    assert damaged
    assert all("model.onnx" in line["message"] for line in damaged)


def test_a_mirror_that_changes_and_breaks(start, tmp_path):
    folder = tmp_path / "zoo"
    old, _ = model(BASE + "base-none", {"model.onnx": b"old"}, model_id="m1", folder="models/1")
    write(folder, (old, {"model.onnx": b"old"}))
    server = start(folder)

    def soon(condition):
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert server.get(PATH).endswith(b"\r\n\r\nold")
    contents = {"model.onnx": b"newer"}
    new = model(BASE + "base-none", contents, model_id="m1", folder="models/2")
    write(folder, new)
    soon(lambda: server.get(PATH).endswith(b"\r\n\r\nnewer"))
    assert server.get("/models/1/model.onnx").startswith(b"HTTP/1.1 404")
    (folder / "catalog.json").write_text("{")
    time.sleep(1.2)
    assert server.get(PATH).endswith(b"\r\n\r\nnewer")
    assert any("cannot be read" in line.get("message", "") for line in server.lines)
    write_catalog(folder, [])
    soon(lambda: server.get(PATH, "HEAD").startswith(b"HTTP/1.1 404"))
    assert server.get(PATH, range="bytes=0-5") == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_download_under_way_is_finished(start, root, number):
    server = start(root)
    with server.connect() as client, server.connect() as idle:
        client.sendall(request(PATH))
        head = client.recv(1000)
        server.process.send_signal(number)
        assert closes(idle, 30)
        deadline = time.monotonic() + 30
        while server.try_get("/healthz"):
            assert time.monotonic() < deadline
        content = head + rest_of(client)
        assert len(content.partition(b"\r\n\r\n")[2]) == LARGE
    assert server.process.wait(30) in (0, 130, -number)
    assert "Traceback" not in server.log


def test_a_stalled_download_does_not_keep_it_from_ending(start, root):
    server = start(root, bounds="run.SHUTDOWN_TIMEOUT=1")
    with server.connect() as client:
        client.sendall(request(PATH))
        client.recv(1000)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) in (0, -signal.SIGTERM)
    for line in server.log.splitlines()[1:]:
        json.loads(line)


def test_workers(start, root):
    server = start(root, "--workers", "2", "--base-url", "https://zoo.example/a")
    body = json.dumps({"query": "{ models { files { downloadUrl } } }"}).encode()
    for _ in range(6):
        answer = server.post("/v2/graphql", body)
        assert b'"https://zoo.example/a/v2/models/m1/files/model.onnx"' in answer
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) in (0, -signal.SIGTERM)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_the_page_in_a_browser(server, tmp_path):
    address = f"http://127.0.0.1:{server.port}/"
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(address)
        assert browser.run("document.getElementById('stub').textContent") == BASE + "base-none"
        assert browser.requests == [address]
        assert browser.complaints == []
    finally:
        browser.close()


def test_log_lines_cannot_be_forged(start, root):
    server = start(root)
    forged = '/x%0a{"path":%20"forged"}%0d%0aTraceback%e2%80%a8%1b[2J'
    server.get(forged)
    server.send(b"GET /y\r\n{} HTTP/1.1\r\n\r\n")
    server.get("/z", x_forwarded_for="evil\t{}")
    note, *lines = server.log.splitlines()
    assert note.startswith("serving ")
    documents = [json.loads(line) for line in lines]
    assert "forged" not in [line.get("path") for line in documents]
    assert sum('"forged"' in line.get("path", "") for line in documents) == 1
    assert all(line.isascii() and line.isprintable() for line in lines)
