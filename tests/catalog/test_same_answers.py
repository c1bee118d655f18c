"""One zoo by five ways: folder, static URL, API, what is kept of both; the answers are the same."""

import http.server
import re
import threading
from functools import partial

import pytest

from tests.net.loopback import allowed
from tests.serve.test_process import Running
from tests.serve.zoos import model, write
from zooselect import Catalog, NoCandidateError, levels
from zooselect.task import TASKS

pytestmark = allowed

IC = "zoo:cv/classification/"
ONE = IC + "resnet_v1-50/pytorch/sparseml/imagenet/"
SHARED = "zoo:resnet_v1-18-imagenet-pruned80_quantized"
TWINS = [IC + f"resnet_v1-18/pytorch/{repo}/imagenet/pruned80_quant-none"
         for repo in ("sparseml", "torchvision")]  # fmt: skip
LATE = "zoo:mobilenet_v1-1.0-imagenet-pruned85_quantized"


def top1(value):
    return [{"metric": "top1_accuracy", "value": value, "dataset": "imagenet", "units": "%"}]


#: Names of either kind and of both, schemes, shared names, networks nobody has heard of.
OWN = [
    ({"stub": ONE + "base-none", "results": top1(76.1)}, 100),
    ({"stub": ONE + "base_quant-none", "stub_v2": "zoo:resnet_v1-50-imagenet-base_quantized"}, 26),
    ({"stub": ONE + "pruned95_quant-none", "sparsity_percent": 95, "results": top1(75.0)}, 30),
    ({"stub": ONE.replace("imagenet/", "imagenet-augmented/") + "pruned95_quant-none",
      "sparsity_percent": 95, "results": top1(75.5)}, 30),
    *(({"stub": stub, "stub_v2": SHARED, "sparsity_percent": 80, "results": top1(70 - number)}, 12)
      for number, stub in enumerate(TWINS)),
    ({"stub": LATE, "domain": "cv", "sub_domain": "classification", "sparsity_percent": 85}, 4),
    ({"stub": IC + "newnet-x/pytorch/lab/imagenet/pruned70_quant-none", "sparsity_percent": 70},
     900),
    ({"stub": IC + "newnet-x/pytorch/lab/imagenet/base-none"}, 4000),
    ({"stub": IC + "oddnet-none/pytorch/lab/imagenet/pruned60_quant-none"}, 40),
    ({"stub": "zoo:nlp/sentiment_analysis/bert-base/pytorch/huggingface/sst2/pruned90_quant-none",
      "sparsity_percent": 90}, 50),
]  # fmt: skip


def written(folder, records):
    """A mirror of records, each with a network of so many bytes."""
    models = [
        model(facts["stub"], {"model.onnx": bytes(size), "recipe_transfer.md": b"r"},
              onnx_size_bytes=size, **{key: value for key, value in facts.items() if key != "stub"})
        for facts, size in records
    ]  # fmt: skip
    return write(folder, *models).root


def from_snapshot():
    """The embedded catalog's records, as far as the old protocol can say them.

    It knows nothing of confidence, suspect figures and figures without a data set, and of a
    percentage of zeros only what the tag says.
    """
    records = []
    for number, record in enumerate(Catalog.embedded()):
        raw = record.to_dict()
        results = [
            {"metric": one.metric, "value": one.percent, "units": "%", "dataset": one.dataset}
            for one in record.results
            if one.suspect is None and one.dataset
        ]
        tagged = re.search(r"pruned(\d\d)", record.sparse_tag)
        facts = {
            "sparsity_percent": int(tagged[1]) if tagged else None,
            "stub": record.stub, "domain": record.domain, "sub_domain": record.sub_domain,
            "stub_v2": raw.get("stub_v2"), "results": results,
        }  # fmt: skip
        records.append(({key: value for key, value in facts.items() if value}, 100 + number))
    return records


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The ways to the own zoo; the servers end with the module."""
    root = written(tmp_path_factory.mktemp("zoo") / "zoo", OWN)
    handler = partial(Quiet, directory=str(root))
    static = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=static.serve_forever, args=(0.05,))
    thread.start()
    api = Running(root, tmp_path_factory.mktemp("log") / "log")
    yield {
        "folder": ("--catalog", str(root)),
        "static": ("--catalog", f"http://127.0.0.1:{static.server_port}"),
        "served": ("--catalog", f"http://127.0.0.1:{api.port}"),
        "api": ("--api-url", f"http://127.0.0.1:{api.port}"),
    }
    api.stop()
    static.shutdown()
    thread.join()
    static.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(tmp_path))


QUESTIONS = [
    *(("resolve", "ic", "-l", level) for level in ("0", "0.1", "0.3", "0.5", "1")),
    ("resolve", "ic", "-l", "1", "--all-sizes"),
    ("resolve", "ic", "--architecture", "resnet_v1-50"),
    ("resolve", "ic", "--architecture", "oddnet"),
    ("resolve", "sentiment"),
    ("resolve", "ic", "--mode", "one-shot"),
    ("resolve", "ner"),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_the_same_stub_by_every_way(cli, zoo, own_cache, question):
    def told(*more):
        done = cli(*question, *more)
        assert done.code in (0, 3)
        return done.code, done.out

    wanted = told(*zoo["folder"])
    for way in ("static", "served", "api"):
        assert told(*zoo[way], "--no-fallback") == wanted, way
        assert told(*zoo[way], "--offline", "--no-fallback") == wanted, f"{way}, kept"


@pytest.mark.parametrize("way", ["folder", "static", "served", "api"])
def test_a_name_of_two_models(cli, zoo, own_cache, way):
    done = cli("show", SHARED, *zoo[way])
    assert (done.code, done.out) == (2, "")
    assert all(stub in done.err for stub in TWINS)
    for stub in TWINS:
        assert cli("show", stub, *zoo[way]).out.splitlines()[0] == stub


@pytest.mark.parametrize("way", ["folder", "static", "served", "api"])
def test_names_of_either_kind(cli, zoo, own_cache, way):
    assert cli("show", LATE, *zoo[way], "--json").json["aliases"] == []
    done = cli("show", "zoo:resnet_v1-50-imagenet-base_quantized", *zoo[way], "--json")
    assert done.json["stub"] == ONE + "base_quant-none"
    assert cli("show", "zoo:resnet_v1-50-imagenet-nothing", *zoo[way]).code == 3


@pytest.mark.parametrize("way", ["static", "served", "api"])
def test_what_search_lists(cli, zoo, own_cache, way):
    def stubs(*where):
        return [one["stub"] for one in cli("search", *where, "--json").json["models"]]

    assert stubs(*zoo[way]) == stubs(*zoo["folder"])
    assert stubs("ic", *zoo[way]) == stubs("ic", *zoo["folder"])


def test_every_level_of_every_task_of_many_models(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(tmp_path / "cache"))
    root = written(tmp_path / "zoo", from_snapshot())
    direct = Catalog.from_file(root)
    server = Running(root, tmp_path / "log")
    try:
        monkeypatch.setenv("ZOOSELECT_API_URL", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("ZOOSELECT_NO_FALLBACK", "1")
        answered = 0
        for task in TASKS:
            try:
                wanted = [str(one.selection) for one in levels(task.name, catalog=direct)]
            except NoCandidateError:
                with pytest.raises(NoCandidateError):
                    levels(task.name)
                continue
            assert [str(one.selection) for one in levels(task.name)] == wanted, task.name
            answered += 1
        assert answered > 5
    finally:
        server.stop()
