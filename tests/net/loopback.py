"""A server on loopback that sends any bytes at all, and keeps what it was asked."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from typing import NamedTuple

import pytest

#: For modules that talk to such a server.
allowed = pytest.mark.allow_hosts(["127.0.0.1"])

ROW = {
    "modelId": "m1",
    "stub": "zoo:resnet_v1-50-imagenet-pruned95_quantized",
    "repoName": "resnet_v1-50-imagenet-pruned95_quantized",
    "domain": "cv",
    "task": "classification",
    "architecture": "resnet_v1",
    "subArchitecture": "50",
    "framework": "pytorch",
    "repo": "sparseml",
    "sourceDataset": "imagenet",
    "trainingScheme": None,
    "sparseTag": "pruned95_quant-none",
}
STUB = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned95_quant-none"
#: What an API answers, and what a mirror's URL: one model, the same.
ROWS = json.dumps({"data": {"models": [ROW]}}).encode()
CATALOG = json.dumps({"schema": 1, "compiled": "2026-01-02", "models": [{"stub": STUB}]}).encode()


def answer(body=b"", status="200 OK", **headers):
    """An HTTP answer as bytes; a header given as None is left out."""
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    headers = {"Content-Length": len(body), "Connection": "close", **headers}
    lines = [f"{name}: {text}" for name, text in headers.items() if text is not None]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


class Request(NamedTuple):
    """What came in: names of headers in lower case."""

    method: str
    target: str
    headers: dict
    body: bytes


def reset(connection, stop):
    """Break a connection off, so that the other side sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hanging(content=b""):
    """Send something, and then nothing for as long as the test takes."""

    def act(connection, stop):
        connection.sendall(content)
        stop.wait(20)

    return act


def dripping(content, piece=b"x", pause=0.05):
    """Send something, and then a piece again and again."""

    def act(connection, stop):
        connection.sendall(content)
        while not stop.wait(pause):
            connection.sendall(piece)

    return act


class Loopback:
    """A server whose answers are scripted: one a connection, the last one for all that follow.

    An answer is bytes, or something that acts on the connection.
    """

    def __init__(self, *answers, certificate=None):
        self.requests = []
        self._answers = list(answers)
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.scheme = "http" if certificate is None else "https"
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.host}"

    def then(self, *answers):
        """Answer otherwise from now on."""
        self._answers[:] = answers

    def close(self):
        self._stop.set()
        # Closing alone does not wake up who waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self):
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self.requests.append(_request(connection))
                act = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                if isinstance(act, bytes):
                    connection.sendall(act)
                else:
                    act(connection, self._stop)


def _request(connection):
    with connection.makefile("rb") as file:
        method, target, _ = file.readline().decode("latin-1").split(" ")
        headers = {}
        while line := file.readline().decode("latin-1").strip():
            name, _, text = line.partition(":")
            headers[name.lower()] = text.strip()
        return Request(method, target, headers, file.read(int(headers.get("content-length", 0))))


def closed_port():
    """A port of loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
