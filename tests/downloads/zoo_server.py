"""A real server on loopback that misbehaves on demand: an API and a static mirror of one model.

Every request is counted. What is wrong with an answer is scripted per path, one fault a
request; when the script is at its end the answer is a good one.
"""

import contextlib
import gzip
import hashlib
import json
import re
import socket
import struct
import threading
import time
from typing import NamedTuple
from urllib.parse import quote, unquote

V1 = "zoo:cv/classification/labnet_v1-18/pytorch/lab/imagenet/pruned90_quant-none"
V2 = "zoo:labnet_v1-18-imagenet-pruned90_quantized"
_PARTS = {
    "domain": "cv", "task": "classification", "architecture": "labnet_v1",
    "subArchitecture": "18", "framework": "pytorch", "repo": "lab",
    "sourceDataset": "imagenet", "trainingScheme": None, "sparseTag": "pruned90_quant-none",
}  # fmt: skip
_KINDS = {
    "model.onnx": "onnx", "model.onnx.tar.gz": "onnx_gz", "model.md": "card",
    "deployment.tar.gz": "deployment",
}  # fmt: skip
_FOLDERS = ("deployment", "training", "onnx")
_BLOCK = 1 << 16


def kind_of(name):
    """The zoo's type of a file."""
    folder = name.partition("/")[0]
    if folder in _FOLDERS:
        return folder
    return "recipe" if name.startswith("recipe") else _KINDS.get(name, "inputs")


class Request(NamedTuple):
    """A request that came."""

    method: str
    path: str
    headers: dict
    body: bytes


class Zoo:
    """A model's files and a server of them.

    Attributes:
        files: content by v2 name; may be changed at any time.
        md5, size: whether the API lists these.
        rows: what to change in an API row of a file, by its name.
        etag: gives the entity tag of a content; None for none.
        script: faults by path or file name, in the order in which they are to happen.
        requests: what came.
        sent: bytes of bodies that were sent, by path.
        pace: seconds to sleep after each 64 KiB of a body.
    """

    def __init__(self, files):
        self.files = dict(files)
        self.md5 = self.size = True
        self.rows = {}
        self.etag = lambda content: '"' + hashlib.sha256(content).hexdigest()[:20] + '"'
        self.script = {}
        self.requests = []
        self.sent = {}
        self.pace = 0.0
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._closed.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def faults(self, name, *faults):
        """Script what goes wrong with a file, or with a path that begins with `/`."""
        self.script[name] = list(faults)

    def asked(self, part=""):
        """The requests so far, as `GET /path`, whose path has a part in it."""
        return [f"{one.method} {one.path}" for one in self.requests if part in one.path]

    def sent_of(self, name):
        """Body bytes sent of a file."""
        return self.sent.get(f"/models/m1/{quote(name)}", 0)

    def listing(self):
        """The API's row of the model."""
        files = []
        for name, content in self.files.items():
            row = {
                "displayName": name,
                "fileType": kind_of(name),
                "downloadUrl": f"{self.url}/models/m1/{quote(name)}",
            }
            if self.size:
                row["fileSize"] = len(content)
            if self.md5:
                row["md5"] = hashlib.md5(content).hexdigest()
            files.append({**row, **self.rows.get(name, {})})
        return {"modelId": "m1", "stub": V2, "repoName": V2[4:], **_PARTS, "files": files}

    def catalog(self):
        """The static mirror's `catalog.json`."""
        files = [
            {
                "name": name, "type": kind_of(name), "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "md5": hashlib.md5(content).hexdigest(),
                **self.rows.get(name, {}),
            }
            for name, content in self.files.items()
        ]  # fmt: skip
        record = {"stub": V1, "stub_v2": V2, "model_id": "m1", "folder": "models/m1",
                  "files": files}  # fmt: skip
        return {"schema": 1, "models": [record]}

    def _accept(self):
        while not self._closed.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(60)
            stream = connection.makefile("rb")
            while (request := _request(stream)) is not None:
                with self._lock:
                    self.requests.append(request)
                    fault = self._fault(request.path)
                reply = Reply(self, connection, request)
                (fault or good)(reply)
                if not reply.keep:
                    break
            # Closing with unread bytes would be a reset, which may destroy what was sent.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)

    def _fault(self, path):
        name = unquote(path.removeprefix("/models/m1/"))
        for key in (path, name):
            if self.script.get(key):
                return self.script[key].pop(0)
        return None


class Reply:
    """An answer in the making.

    Attributes:
        content: what a good answer would hold; None for what is not there.
        keep: whether the connection is kept for another request.
    """

    def __init__(self, zoo, connection, request):
        self.zoo, self.connection, self.request = zoo, connection, request
        self.keep = False
        self.kind = "application/octet-stream"
        path = request.path
        if path.endswith("/v2/graphql"):
            self.kind = "application/json"
            query = json.loads(request.body)["query"]
            if not zoo.md5 and "md5" in query:
                message = "Cannot query field 'md5' on type 'File'."
                document = {"errors": [{"message": message}]}
            else:
                document = {"data": {"models": [zoo.listing()]}}
            self.content = json.dumps(document).encode()
        elif path.endswith("/catalog.json"):
            self.kind = "application/json"
            self.content = json.dumps(zoo.catalog()).encode()
        else:
            self.content = zoo.files.get(unquote(path.removeprefix("/models/m1/")))

    @property
    def tag(self):
        """The entity tag of the content."""
        return self.zoo.etag(self.content)

    def head(self, status, **headers):
        """Send the head of an answer."""
        lines = [f"HTTP/1.1 {status} Whatever"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [] if self.keep else ["Connection: close"]
        self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def send(self, data):
        """Send bytes of a body, and count them."""
        for at in range(0, len(data), _BLOCK):
            block = data[at : at + _BLOCK]
            self.connection.sendall(block)
            with self.zoo._lock:
                path = self.request.path
                self.zoo.sent[path] = self.zoo.sent.get(path, 0) + len(block)
            if self.zoo.pace:
                time.sleep(self.zoo.pace)

    def reset(self):
        """Break the connection as hard as it goes."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def range(self):
        """The first byte asked for; 0 without a range, or with another entity tag."""
        found = re.fullmatch(r"bytes=(\d+)-", self.request.headers.get("range", ""))
        wanted = self.request.headers.get("if-range")
        return int(found[1]) if found and wanted in (None, self.tag) else 0

    def headers(self, length):
        """What a good answer of a file says."""
        said = {"Content_Type": self.kind, "Content_Length": length}
        return said | ({"ETag": self.tag} if self.tag else {})


def _request(stream):
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(line[0], line[1].partition("?")[0], headers, body)


def good(reply):
    """The right answer, with ranges."""
    if reply.content is None:
        return status(404)(reply)
    reply.keep = True
    start, size = reply.range(), len(reply.content)
    if start >= size > 0:
        reply.head(416, Content_Length=0, Content_Range=f"bytes */{size}")
        return None
    if start:
        said = {"Content_Range": f"bytes {start}-{size - 1}/{size}"}
        reply.head(206, **reply.headers(size - start), **said)
    else:
        reply.head(200, **reply.headers(size))
    return reply.send(reply.content[start:])


def status(code, body=b"some error text", **headers):
    """A page of an error, with its length."""

    def fault(reply):
        said = {"Content_Type": "text/plain", "Content_Length": len(body), **headers}
        reply.head(code, **said)
        reply.send(body)

    return fault


def page(body=b"<!DOCTYPE html><html>please log in</html>", code=200):
    """A page for browsers in place of the file."""
    return status(code, body, Content_Type="text/html")


def cut(share, *, hard=False, ranges=True):
    """End the connection after a share of what is left to send."""

    def fault(reply):
        start, size = reply.range() if ranges else 0, len(reply.content)
        if start:
            said = {"Content_Range": f"bytes {start}-{size - 1}/{size}"}
            reply.head(206, **reply.headers(size - start), **said)
        else:
            reply.head(200, **reply.headers(size))
        left = reply.content[start:]
        reply.send(left[: int(len(left) * share)])
        if hard:
            time.sleep(0.05)  # what was sent shall arrive before the reset
            reply.reset()

    return fault


def refuse(reply):
    """Hang up without an answer."""
    reply.reset()


def stall(share=0.5, seconds=5.0):
    """Send a share, and then nothing for long."""

    def fault(reply):
        reply.head(200, **reply.headers(len(reply.content)))
        reply.send(reply.content[: int(len(reply.content) * share)])
        time.sleep(seconds)

    return fault


def length(more):
    """Say a wrong length; all of the content is sent."""

    def fault(reply):
        reply.head(200, **reply.headers(len(reply.content) + more))
        reply.send(reply.content)

    return fault


def plain(body=None, **headers):
    """The content, with exactly these headers."""

    def fault(reply):
        reply.head(200, **headers)
        reply.send(reply.content if body is None else body)

    return fault


def chunked(share=1.0, *, etag=True):
    """The content in chunks; only a share of them, without an end, where that is below 1."""

    def fault(reply):
        tag = {"ETag": reply.tag} if etag and reply.tag else {}
        reply.head(200, Transfer_Encoding="chunked", **tag)
        content = reply.content[: int(len(reply.content) * share)]
        for at in range(0, len(content), 10_000):
            block = content[at : at + 10_000]
            reply.send(b"%x\r\n" % len(block) + block + b"\r\n")
        if share >= 1:
            reply.send(b"0\r\n\r\n")

    return fault


def ranged(said, body=None, code=206, **headers):
    """An answer to a range that says what it is told to; `{start}`, `{size}`, `{last}` in it."""

    def fault(reply):
        start, size = reply.range(), len(reply.content)
        text = said.format(start=start, size=size, last=size - 1)
        left = reply.content[start:] if body is None else body
        more = {"ETag": reply.tag} if reply.tag else {}
        reply.head(code, **{"Content_Length": len(left), "Content_Range": text, **more, **headers})
        reply.send(left)

    return fault


def zipped(*, chunks=False):
    """The content with a transfer compression nobody asked for."""

    def fault(reply):
        body = gzip.compress(reply.content, mtime=0)
        said = {} if chunks else {"Content_Length": len(body)}
        reply.head(200, Content_Encoding="gzip", **said)
        reply.send(body)

    return fault


def mislabelled(reply):
    """The content as it is, called compressed: what hosts do to `.tar.gz`."""
    reply.head(200, Content_Encoding="x-gzip", **reply.headers(len(reply.content)))
    reply.send(reply.content)


def corrupt(at=0.5):
    """One byte of the content is another."""

    def fault(reply):
        content = bytearray(reply.content)
        content[int((len(content) - 1) * at)] ^= 0x55
        reply.head(200, **reply.headers(len(content)))
        reply.send(bytes(content))

    return fault


def redirect(to, code=302):
    """A redirect."""

    def fault(reply):
        reply.head(code, Location=to, Content_Length=0)

    return fault
