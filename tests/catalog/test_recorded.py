"""Exchanges of `fixtures/http`, replayed: those recorded, and those composed by hand."""

import json
from pathlib import Path

import pytest
import responses

from zooselect import Catalog, NoCandidateError, levels
from zooselect.catalog.api import Api
from zooselect.catalog.asked import Asked
from zooselect.catalog.parse import parse_document, parse_models
from zooselect.catalog.provenance import Provenance
from zooselect.catalog.static import StaticMirror
from zooselect.errors import ServerError
from zooselect.net.client import Client
from zooselect.net.url import parse

FOLDER = Path(__file__).parents[2] / "fixtures" / "http"
HOST = parse("http://zoo.example")
COMPOSED = sorted(path.stem for path in (FOLDER / "composed").glob("*.json"))
QUESTIONS = {
    "models-cv-classification": Asked("cv", "classification"),
    "models-nlp-sentiment_analysis": Asked("nlp", "sentiment_analysis"),
    "models-named": Asked(name="samplebert-large-sst2-base"),
    "models-all": Asked(),
}


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def replay():
    """Give the answer of an exchange, and no other; tell what was asked."""
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:

        def play(exchange, method="POST", path="/v2/graphql"):
            said = exchange["response"]
            headers = dict(said["headers"])
            kind = headers.pop("content-type", "text/plain")
            mock.add(method, HOST.below(path).url, body=said["body"], status=said["status"],
                     headers=headers, content_type=kind)  # fmt: skip
            return mock.calls

        yield play


@pytest.fixture
def client():
    one = Client(HOST, patience=0)
    yield lambda: one
    one.close()


def catalog_of(items):
    parsed = parse_models(items)
    assert parsed[1:] == ((), ())
    return Catalog.from_records(parsed.records, Provenance("file", "", ""))


def compiled():
    """The catalog.json that was recorded."""
    return json.loads(read("catalog")["response"]["body"])


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_recorded_question(replay, client, name):
    exchange = read(name)
    calls = replay(exchange)
    answer = Api(HOST, client).ask(QUESTIONS[name])
    assert (answer.skipped, answer.repaired, len(calls)) == ((), (), 1)
    # Were the query another, the recording would prove nothing: `make record`.
    assert calls[0].request.body.decode() == exchange["request"]["body"]
    wanted = {one["stub"] for one in compiled()["models"]}
    got = {one.stub for one in catalog_of(answer.models)}
    assert got == wanted if name == "models-all" else got and got < wanted


@pytest.mark.parametrize("task", ["image_classification", "sentiment_analysis"])
def test_the_api_and_the_catalog_it_serves_agree(replay, client, task):
    replay(read("models-all"))
    told = catalog_of(Api(HOST, client).ask(Asked()).models)
    direct = catalog_of(compiled()["models"])
    dataset = "imagenette" if task == "image_classification" else None

    def axis(catalog):
        try:
            return [str(one.selection) for one in levels(task, catalog=catalog, dataset=dataset)]
        except NoCandidateError:
            return None

    assert axis(told) == axis(direct) is not None


def test_a_recorded_catalog_and_that_it_holds(replay, client):
    replay(read("catalog"), "GET", "/catalog.json")
    mirror = StaticMirror(HOST, client, lambda: 100)
    known = mirror.ask(Asked())
    assert known.etag == read("catalog")["response"]["headers"]["etag"]
    assert not parse_document(compiled(), "")[0].skipped


def test_a_recorded_catalog_that_has_not_changed(replay, client):
    exchange = read("catalog-not-modified")
    calls = replay(exchange, "GET", "/catalog.json")
    mirror = StaticMirror(HOST, client, lambda: 100)
    known = mirror_answer(read("catalog"))
    assert mirror.ask(Asked(), known) == known._replace(fetched_at=100)
    sent = calls[0].request.headers
    assert sent["If-None-Match"] == exchange["request"]["headers"]["if-none-match"]


def mirror_answer(exchange):
    with responses.RequestsMock() as mock:
        said = exchange["response"]
        mock.get(HOST.below("catalog.json").url, body=said["body"],
                 headers={"etag": said["headers"]["etag"]})  # fmt: skip
        one = Client(HOST)
        try:
            return StaticMirror(HOST, lambda: one).ask(Asked())
        finally:
            one.close()


@pytest.mark.parametrize("name", COMPOSED)
def test_a_composed_answer(replay, client, name):
    exchange = read(f"composed/{name}")
    replay(exchange)
    expect = exchange["expect"]
    assert exchange["rests_on"]
    if "error" in expect:
        with pytest.raises(ServerError) as error:
            # A server that is refused fields is asked again; the answer stays the same.
            Api(HOST, client).ask(Asked("cv", "classification"))
        assert expect["error"] in error.value.message
        return
    answer = Api(HOST, client).ask(Asked("cv", "classification"))
    parsed = parse_models(answer.models)
    assert [one.stub for one in parsed.records] == expect["stubs"]
    assert len(answer.skipped) == expect["skipped"]
    assert len(parsed.repaired) == expect["repaired"]


def test_there_are_enough_of_them():
    assert len(COMPOSED) >= 20
    assert {path.stem for path in FOLDER.glob("*.json")} == {
        *QUESTIONS, "catalog", "catalog-not-modified",
    }  # fmt: skip
