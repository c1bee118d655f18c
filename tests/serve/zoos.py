"""Small mirrors written by hand, and a client that asks the server in this process."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from zooselect.mirror.store import Mirror
from zooselect.serve import graphql
from zooselect.serve.zoo import Zoo

BASE = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/"
BERT = "zoo:nlp/sentiment_analysis/bert-base/pytorch/huggingface/sst2/"

#: One file of every kind, zero bytes short of none.
FILES = {
    "model.onnx": b"network",
    "model.onnx.tar.gz": b"packed network",
    "model.md": b"# card",
    "recipe.md": b"recipe",
    "recipe_transfer.md": b"transfer",
    "training/weights.pth": b"weights",
    "training/LICENSE": b"license",
    "deployment/model.onnx": b"network",
    "deployment/config.json": b"{}",
    "deployment.tar.gz": b"packed",
    "sample-inputs.tar.gz": b"inputs",
    "LICENSE": b"license of all",
}
_TYPES = {"model.onnx": "onnx", "model.onnx.tar.gz": "onnx_gz", "model.md": "card"}


def model(stub, contents=None, **facts):
    """A record of a catalog, with the contents of its files."""
    contents = FILES if contents is None else contents
    name = facts.pop("model_id", None) or hashlib.md5(stub.encode()).hexdigest()
    files = [
        {
            "name": file,
            "type": type_of(file),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "md5": hashlib.md5(content).hexdigest(),
        }
        for file, content in contents.items()
    ]
    record = {"stub": stub, "model_id": name, "folder": f"models/{name}", "files": files, **facts}
    return record, contents


def type_of(name):
    """The zoo's type of a file."""
    folder = name.partition("/")[0]
    if name.startswith("recipe"):
        return "recipe"
    if folder in ("training", "deployment", "deployment.tar.gz"):
        return folder.partition(".")[0]
    return _TYPES.get(name, "inputs")


def write(folder, *models):
    """Write a mirror of models; files that are there stay."""
    folder = Path(folder)
    for record, contents in models:
        for name, content in contents.items():
            path = folder / record["folder"] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    write_catalog(folder, [record for record, _ in models])
    return Mirror(folder)


def write_catalog(folder, records):
    """Write only the catalog, in one step as `mirror` does."""
    temporary = folder / ".new"
    temporary.write_text(json.dumps({"schema": 1, "models": records}))
    temporary.replace(folder / "catalog.json")


def url_of(path):
    """An absolute URL of a path."""
    return "http://zoo" + path


def query(zoo, text, **more):
    """Status and document of a GraphQL query."""
    answer = graphql.answer(zoo, json.dumps({"query": text, **more}).encode(), url_of)
    return answer.status, json.loads(answer.body)


def zoo_of(folder, *models):
    """A zoo of models."""
    return Zoo.read(write(folder, *models))


class Answer(NamedTuple):
    """What a client saw; `dropped` when the connection closed before the answer's end."""

    status: int | None
    headers: dict
    body: bytes
    dropped: bool

    @property
    def json(self):
        """The body as one strict JSON document."""
        return json.loads(self.body, parse_constant=lambda name: 1 / 0)


def ask(app, method, target, headers=(), body=b"", chunks=None, hold=True, **scope):
    """Send one request to an ASGI application, with a hold on its connection or without."""
    return asyncio.run(_ask(app, method, target, dict(headers), chunks or [body], hold, scope))


async def _ask(app, method, target, headers, chunks, hold, more):
    path, _, query_string = target.partition("?")
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    gone = asyncio.Event()
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query_string.encode(),
        "headers": raw,
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "state": {"abort": gone.set} if hold else {},
        **more,
    }
    waiting = list(chunks)
    sent = []

    async def receive():
        if gone.is_set():
            return {"type": "http.disconnect"}
        if waiting:
            chunk = waiting.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await asyncio.wait_for(app(scope, receive, send), 30)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    ended = bool(sent) and len(sent) > 1 and not sent[-1].get("more_body", False)
    if not sent:
        return Answer(None, {}, b"", True)
    answered = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    if ended and method == "HEAD":
        body = b""
    elif ended and "content-length" in answered:
        assert len(body) == int(answered["content-length"])
    return Answer(sent[0]["status"], answered, body, not ended)
