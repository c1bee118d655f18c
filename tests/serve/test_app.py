"""Routes, addresses and changes of the mirror, in this process."""

import asyncio
import hashlib
import json
import logging
import re
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serve.zoos import BASE, FILES, ask, model, write, write_catalog
from zooselect.serve import app as app_module
from zooselect.serve import graphql
from zooselect.serve.app import MAX_BODY, AccessLog, Server
from zooselect.serve.zoo import Zoo

# asyncio has sockets of its own.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SEARCH = json.dumps({"query": "{ models { modelId files(version: 2) { downloadUrl } } }"}).encode()
SECRET = b"not in the mirror's list"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "zoo"
    write(root, model(BASE + "base-none", model_id="m1"))
    (tmp_path / "secret").write_bytes(SECRET)
    (root / "secret").write_bytes(SECRET)
    (root / "models/m1/.secret").write_bytes(SECRET)
    return root


@pytest.fixture
def app(root):
    from zooselect.mirror.store import Mirror

    return Server(Mirror(root))


def urls(answer):
    assert answer.status == 200, answer
    return [file["downloadUrl"] for one in answer.json["data"]["models"] for file in one["files"]]


def test_routes(app, root):
    assert ask(app, "GET", "/healthz").json == {"status": "ok", "models": 1}
    assert ask(app, "POST", "/auth", body=b'{"authentication_type": "public"}').json == {
        "token": "public"
    }
    catalog = ask(app, "GET", "/catalog.json")
    assert catalog.body == (root / "catalog.json").read_bytes()
    etag = catalog.headers["etag"]
    for header in (etag, f"W/{etag}", f'"x", {etag}'):
        answer = ask(app, "GET", "/catalog.json", {"if-none-match": header})
        assert (answer.status, answer.body) == (304, b"")
    assert ask(app, "HEAD", "/catalog.json").headers["content-length"] == str(len(catalog.body))
    for path in ("/models/search/cv/classification", "/v2/models/search/cv"):
        assert len(ask(app, "GET", path).json["models"]) == 1
    path = "/models/download/" + BASE.removeprefix("zoo:") + "base-none"
    assert ask(app, "GET", path).json["model"]["model_id"] == "m1"
    assert ask(app, "GET", "/v2/models/get/resnet_v1-50-imagenet-base").status == 200
    assert ask(app, "GET", "/models/search/cv/classification?page=0").status == 400
    for path in ("/v2", "/models", "/models/search", "/models/search/a/b/c", "/models/get/x"):
        answer = ask(app, "GET", path)
        assert (answer.status, answer.body) == (404, b"")


def page_data(answer):
    return json.loads(re.search(rb'id="data">(.*?)</script>', answer.body, re.S)[1])


def test_a_page_for_people(app, root):
    answer = ask(app, "GET", "/")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    (task,) = page_data(answer)["tasks"]
    assert (task["name"], task["bands"][0]["stub"]) == ("image_classification", BASE + "base-none")
    assert page_data(answer)["served"]
    provenance = page_data(answer)["provenance"]
    digest = hashlib.sha256((root / "catalog.json").read_bytes()).hexdigest()
    assert (provenance["source"], provenance["digest"]) == ("mirror", f"sha256:{digest}")
    assert str(root).encode() not in answer.body
    etag = answer.headers["etag"]
    for header in (etag, f"W/{etag}", f'"x", {etag}'):
        again = ask(app, "GET", "/", {"if-none-match": header})
        assert (again.status, again.body) == (304, b"")
    head = ask(app, "HEAD", "/")
    assert (head.headers["etag"], head.headers["content-length"]) == (etag, str(len(answer.body)))
    for method in ("POST", "PUT", "DELETE"):
        assert ask(app, method, "/").status == 405
    assert ask(Server(app._mirror), "GET", "/").body == answer.body


def test_the_page_is_made_once_for_each_state_of_the_mirror(app, root, monkeypatch):
    made = []
    page = Zoo.page
    monkeypatch.setattr(Zoo, "page", lambda zoo: [made.append(zoo), time.sleep(0.05)] and page(zoo))
    ask(app, "GET", "/healthz")
    assert made == []  # not before somebody asks

    async def many(scope, receive, send):
        async def quiet(message):
            pass

        await asyncio.gather(*(app(scope, receive, quiet) for _ in range(20)))
        await app(scope, receive, send)

    first = ask(many, "GET", "/")
    assert len(made) == 1
    write(
        root, model(BASE + "base-none", model_id="m1"), model(BASE + "pruned-none", model_id="m2")
    )
    app._looked = 0
    second = ask(app, "GET", "/")
    assert len(made) == 2
    assert second.headers["etag"] != first.headers["etag"]
    assert len(page_data(second)["tasks"][0]["models"]) == 2


def test_a_page_that_failed_is_tried_again(app, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(Zoo, "page", lambda zoo: 1 / 0)
        assert ask(app, "GET", "/").status is None
        assert ask(app, "GET", "/healthz").status == 200
    assert ask(app, "GET", "/").status == 200
    assert "ZeroDivisionError" in caplog.text


def test_the_page_keeps_nobody_waiting(app, monkeypatch):
    page, order = Zoo.page, []
    started, ended = threading.Event(), threading.Event()
    monkeypatch.setattr(Zoo, "page", lambda zoo: [started.set(), ended.wait(20)] and page(zoo))

    async def both(scope, receive, send):
        async def told(message):
            order.append(message.get("status"))

        slow = asyncio.create_task(app({**scope, "path": "/"}, receive, told))
        await asyncio.to_thread(started.wait, 20)
        await app(scope, receive, send)
        assert order == []
        ended.set()
        await slow

    assert ask(both, "GET", "/healthz").status == 200
    assert order[0] == 200


def test_the_page_of_a_mirror_with_nothing_for_a_level(tmp_path):
    other = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/cifar_10/base-none"
    app = Server(write(tmp_path / "other", model(other)))
    (task,) = page_data(ask(app, "GET", "/"))["tasks"]
    assert [band["stub"] for band in task["bands"]] == [other] * 5
    unranked = "zoo:cv/classification/mynet-1/pytorch/sparseml/cifar_10/base-none"
    app = Server(write(tmp_path / "unranked", model(unranked)))
    (task,) = page_data(ask(app, "GET", "/"))["tasks"]
    assert [band["stub"] for band in task["bands"]] == [None] * 5
    assert [one["stub"] for one in task["models"]] == [unranked]
    (tmp_path / "none").mkdir()
    for name, models in (("none", []), ("unknown", [model("zoo:cv/depth/a/b/c/d/base-none")])):
        answer = ask(Server(write(tmp_path / name, *models)), "GET", "/")
        assert answer.status == 200
        assert b"none of the tasks zooselect knows" in answer.body
        assert page_data(answer)["tasks"] == []


def test_doubled_slashes(app):
    assert urls(ask(app, "POST", "//v2//graphql", body=SEARCH))
    assert ask(app, "GET", "//healthz").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"])
def test_other_methods(app, method):
    for path in ("/v2/graphql", "/healthz", "/v2/models/m1/files/model.onnx"):
        answer = ask(app, method, path)
        assert answer.status == 405
        assert answer.headers["allow"]
    assert ask(app, "GET", "/v2/graphql").headers["allow"] == "POST"
    assert ask(app, "POST", "/v2/models/m1/files/model.onnx").status == 405


def test_bodies(app):
    assert ask(app, "POST", "/v2/graphql", body=b"x" * MAX_BODY).status == 400
    for path in ("/v2/graphql", "/auth"):
        answer = ask(app, "POST", path, body=b"x" * (MAX_BODY + 1))
        # What is left of the body is not waited for.
        assert (answer.status, answer.headers["connection"]) == (413, "close")
    endless = [b"x" * 1000] * 10_000
    assert ask(app, "POST", "/v2/graphql", chunks=endless).status == 413
    assert len(endless) == 10_000
    pieces = [SEARCH[at : at + 1] for at in range(len(SEARCH))]
    assert urls(ask(app, "POST", "/v2/graphql", chunks=pieces))


def test_a_body_that_does_not_come(app, monkeypatch):
    monkeypatch.setattr(app_module, "BODY_TIMEOUT", 0.05)

    async def dribble(scope, receive, send):
        async def slow():
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b" ", "more_body": True}

        await app(scope, slow, send)

    assert ask(dribble, "POST", "/v2/graphql").status == 413


def test_a_client_that_leaves(app):
    async def leave(scope, receive, send):
        async def gone():
            return {"type": "http.disconnect"}

        await app(scope, gone, send)

    assert ask(leave, "POST", "/v2/graphql").status == 413


ESCAPES = [
    "/../secret", "/%2e%2e/secret", "/secret", "/models/../secret", "/models/m1/../../secret",
    "/models/m1/%2e%2e/%2e%2e/secret", "/models/m1/..%2f..%2fsecret", "/models/m1/.secret",
    "/models/m1/..\\..\\secret", "/models/m1/%5c..%5c..%5csecret", "/%2fsecret", "///secret",
    "/v2/models/m1/files/../../../secret", "/v2/models/m1/files/%2e%2e/%2e%2e/secret",
    "/v2/models/m1/files/..%2f..%2f..%2fsecret", "/v2/models/m1/files/.secret",
    "/v2/models/m1/files//etc/passwd", "/v2/models/m1/files/%2fetc%2fpasswd",
    "/v2/models/../files/secret", "/v2/models/%2e%2e/files/secret", "/v2/models/m1/files/%00",
    "/models/m1/model.onnx%00", "/models/m1/model.onnx%00.md", "/models/m1/%ff%fe", "/%ff",
    "/models/m1/model.onnx/", "/models/m1/model.onnx/..", "/models/m1/./model.onnx",
    "/models/m1", "/models/m1/", "/models", "/v2/models/m1/files", "/v2/models/m1/files/",
    "/" + "a" * 60_000, "/models/m1/" + "../" * 5000 + "etc/passwd", "/" + "%2e%2e%2f" * 5000,
    "/models/m1/model.onnx%0d%0aX-Injected:%201", "/models/m1/C:%5csecret", "/catalog.json/..",
    "/models/m1/model.onnx%20", "/models/m1/model.onnx.", "/models/m1/MODEL.ONNX", "/%", "/%zz",
    "/models/get/../../secret", "/models/download/%00", "/models/search/%00/%ff?page=%00",
    "/models/search/cv/classification?page=%ff", "/models/m1/\u00e9".encode().decode("latin-1"),
]  # fmt: skip


@pytest.mark.parametrize("path", ESCAPES, ids=range(len(ESCAPES)))
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_path_leads_out_of_the_list(app, path, method):
    answer = ask(app, method, path)
    assert answer.status in (200, 400, 404, 405)
    assert (answer.status == 200) == (path.startswith("/models/search") and b"models" in answer.body
                                      and "page" not in path)  # fmt: skip
    assert SECRET not in answer.body
    assert b"Traceback" not in answer.body
    assert "x-injected" not in answer.headers


@given(
    st.lists(
        st.sampled_from(["v2", "models", "m1", "files", "model.onnx", "..", ".", "", "secret",
                         "catalog.json", "%2e%2e", "%2f", "%00", "\\", "get", "search", "cv"])
        | st.text(st.characters(max_codepoint=255, exclude_characters="?#"), max_size=4),
        max_size=8,
    )
)  # fmt: skip
def test_any_path(tmp_path_factory, parts):
    root = tmp_path_factory.getbasetemp() / "any"
    if not root.exists():
        write(root, model(BASE + "base-none", model_id="m1"))
        (root / "secret").write_bytes(SECRET)
    from zooselect.mirror.store import Mirror

    answer = ask(Server(Mirror(root)), "GET", "/" + "/".join(parts))
    assert answer.status in (200, 404)
    if "application/octet-stream" in answer.headers.get("content-type", ""):
        assert answer.body in FILES.values()
    assert SECRET not in answer.body


@pytest.mark.parametrize(
    "host",
    ["zoo.example", "zoo.example:81", "127.0.0.1:8000", "[::1]:8000", "[::1]", "a_b-c.d:1", "x"],
)
def test_sound_hosts(app, host):
    answer = ask(app, "POST", "/v2/graphql", {"host": host}, SEARCH)
    assert {url.partition("/v2/")[0] for url in urls(answer)} == {f"http://{host}"}


@pytest.mark.parametrize(
    "host",
    ["", "evil/path", "a b", 'a"b', "a\r\nX: 1", "a\nb", "a@b", "a?b", "a#b", "a:b", "a:123456",
     "<script>", "[", "]", "[x", "[::1", "\u00e9", "a\x00b", "a,b", "a;b", "http://a", "a%2fb",
     "zoo\n", "x" * 5000 + "/", "::1", "[::1]x"],
)  # fmt: skip
def test_a_host_of_the_clients_making_goes_into_no_answer(app, host):
    headers = {"host": host, "x-forwarded-host": "evil", "forwarded": "host=evil"}
    for url in urls(ask(app, "POST", "/v2/graphql", headers, SEARCH)):
        assert url.startswith("http://127.0.0.1:8000/v2/models/m1/files/")
    assert ask(app, "GET", "/healthz", headers).status == 200
    assert ask(app, "GET", "/models/m1/model.onnx", headers).status == 200


def test_the_servers_own_address(app):
    def base(**scope):
        return urls(ask(app, "POST", "/v2/graphql", body=SEARCH, **scope))[0].partition("/v2")[0]

    assert base(server=("::1", 8000)) == "http://[::1]:8000"
    assert base(server=None) == "http://127.0.0.1:80"
    assert base(scheme="https") == base(scheme="wss") == "https://127.0.0.1:8000"
    assert base(scheme="ws") == "http://127.0.0.1:8000"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("prefix", "asked"), [("/zoo", "/zoo"), ("/a/b", "/a/b"),
                                               ("/my%20zoo", "/my%20zoo"), ("", "")])  # fmt: skip
def test_base_url(root, prefix, asked, slash):
    from zooselect.mirror.store import Mirror

    app = Server(Mirror(root), f"https://zoo.example:444{prefix}{slash}")
    headers = {"host": "evil"}
    for at in (asked, ""):
        listed = urls(ask(app, "POST", at + "/v2/graphql", headers, SEARCH))
        assert f"https://zoo.example:444{prefix}/v2/models/m1/files/model.onnx" in listed
        path = f"{at}/v2/models/m1/files/model.onnx"
        assert ask(app, "GET", path).body == FILES["model.onnx"]
        assert ask(app, "GET", "/" + path.replace("/", "//")).body == FILES["model.onnx"]
        assert ask(app, "GET", at + "/healthz").status == 200
    if prefix:
        assert ask(app, "GET", prefix).status == 404
        assert ask(app, "GET", prefix + "/").status == 200
        assert ask(app, "GET", prefix + "x/healthz").status == 404


def test_names_are_quoted_in_urls(tmp_path):
    files = {"model.onnx": b"m", "training/a b#c%d\u00e9'.txt": b"odd"}
    app = Server(write(tmp_path / "zoo", model(BASE + "base-none", files, model_id="m1")))
    listed = urls(ask(app, "POST", "/v2/graphql", body=SEARCH))
    assert len(listed) == 2
    for url in listed:
        assert url.isascii()
        assert not set(url) & set(" #'\"<>")
        path = url.removeprefix("http://127.0.0.1:8000")
        assert ask(app, "GET", path).body in files.values()


def test_a_changed_mirror_is_picked_up(app, root):
    second = model(BASE + "pruned-none", model_id="m2")
    write(root, model(BASE + "base-none", model_id="m1"), second)
    assert ask(app, "GET", "/healthz").json["models"] == 1  # not looked at for every request
    app._looked = 0
    assert ask(app, "GET", "/healthz").json["models"] == 2
    assert ask(app, "GET", "/v2/models/m2/files/model.onnx").status == 200


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_broken_mirror_leaves_what_was(app, root, content, caplog):
    catalog = root / "catalog.json"
    sound = catalog.read_bytes()
    catalog.unlink()
    if content is not None:
        catalog.write_bytes(content)
    with caplog.at_level(logging.WARNING, "zooselect.serve"):
        for _ in range(3):
            app._looked = 0
            assert ask(app, "GET", "/healthz").json["models"] == 1
            assert ask(app, "GET", "/catalog.json").body == sound
            assert ask(app, "GET", "/models/m1/model.onnx").body == FILES["model.onnx"]
    assert len(caplog.records) == 1
    write_catalog(root, [])
    app._looked = 0
    assert ask(app, "GET", "/healthz").json["models"] == 0


def test_a_fault_of_ours_shows_nothing_and_is_no_file(app, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("inside")

    monkeypatch.setattr(graphql, "answer", broken)
    monkeypatch.setattr(type(app._zoo), "file", broken)
    answer = ask(app, "POST", "/v2/graphql", body=SEARCH)
    assert (answer.status, answer.body) == (500, b"")
    path = "/v2/models/m1/files/model.onnx"
    answer = ask(app, "HEAD", path)
    assert (answer.status, answer.headers["content-length"]) == (500, "0")
    assert ask(app, "GET", path).status is None
    assert ask(app, "GET", path, hold=False).dropped
    assert "inside" in caplog.text


@pytest.fixture
def lines(caplog):
    def read():
        return [
            record.getMessage() for record in caplog.records if record.name == "zooselect.access"
        ]

    with caplog.at_level(logging.INFO, "zooselect.access"):
        yield read


def test_access_log(app, lines):
    logged = AccessLog(app)
    ask(logged, "GET", "/models/m1/model.onnx")
    ask(logged, "GET", '/x%0a{"status":%20200}%0d%00%1b[31m%e2%80%a8?secret=1', client=None)
    for line in lines():
        assert line.isascii()
        assert line.isprintable()
    first, second = map(json.loads, lines())
    assert first.pop("time").endswith("Z")
    assert first.pop("ms") >= 0
    assert first == {
        "client": "127.0.0.1", "method": "GET", "path": "/models/m1/model.onnx", "status": 200,
        "bytes": len(FILES["model.onnx"]),
    }  # fmt: skip
    assert second["path"].startswith("/x\n{")
    assert (second["status"], second["client"]) == (404, "-")


def test_other_protocols_are_passed_by(app):
    async def go(scope):
        async def nothing(message=None):
            raise AssertionError

        await AccessLog(app)(scope, nothing, nothing)

    asyncio.run(go({"type": "websocket"}))
    asyncio.run(go({"type": "lifespan"}))
