"""An API of any behaviour: an answer, or an error that says what is wrong."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.test_rows import JSON, ROWS, V2, row
from tests.net.loopback import ROW, STUB
from zooselect.catalog import api as api_module
from zooselect.catalog import parse as parse_module
from zooselect.catalog.api import Api
from zooselect.catalog.asked import Asked
from zooselect.catalog.parse import parse_models
from zooselect.errors import ServerError
from zooselect.net.client import Fetched
from zooselect.net.url import parse

IC = Asked("cv", "classification")
NOW = 1_800_000_000


class Spoken:
    """Stands at the client's place, and answers a query by a function of its text."""

    def __init__(self, answer_to):
        self.queries = []
        self._answer_to = answer_to

    def fetch(self, method, address, *, headers, body, accept):
        assert (method, address.url) == ("POST", "http://zoo/v2/graphql")
        self.queries.append(json.loads(body)["query"])
        answer = self._answer_to(self.queries[-1])
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Fetched(
            400 if isinstance(answer, dict) and "data" not in answer else 200, {}, content
        )


def asked(answer, question=IC):
    """What an API comes to that answers one thing, or by a function of the query."""
    spoken = Spoken(answer if callable(answer) else lambda query: answer)
    return Api(parse("http://zoo"), lambda: spoken, lambda: NOW + 0.5).ask(question), spoken


def stubs(answer):
    return [record.stub for record in parse_models(answer.models).records]


def data(*rows, **more):
    return {"data": {"models": list(rows)}, **more}


def test_an_answer():
    answer, spoken = asked(data(ROW))
    assert stubs(answer) == [STUB]
    assert (answer.source, answer.location, answer.fetched_at) == ("api", "http://zoo", NOW)
    assert (answer.asked, answer.skipped, answer.repaired) == (IC, (), ())
    assert len(spoken.queries) == 1


def test_nothing_found_is_an_answer():
    assert asked(data())[0].models == []


def test_the_digest_is_of_the_content_whatever_its_order():
    other = row(sparseTag="base-none", stub=None, repoName=None)
    one, two = asked(data(ROW, other))[0], asked(data(other, ROW))[0]
    assert one.digest == two.digest
    assert asked(data(ROW))[0].digest != one.digest


def test_one_bad_row_loses_no_other():
    answer, _ = asked(data(None, ROW, {"stub": "zoo:x"}, row(task="detection")))
    assert stubs(answer) == [STUB]
    assert [name for name, _ in answer.skipped] == ["model 1", "model 3", "model 4"]


def test_not_one_usable_row_is_an_error():
    with pytest.raises(ServerError, match=r"answers with 2 models, none usable \(model 1: not an"):
        asked(data(5, {}))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "no JSON object of GraphQL"),
        (b"<html>", "no JSON object of GraphQL"),
        (b'{"data": {"models": [', "no JSON object of GraphQL"),
        (b"[" * 100_000, "no JSON object of GraphQL"),
        (b'{"data": {"models": ' + b"9" * 5000 + b"}}", "without a list|no JSON object"),
        ([], "no JSON object of GraphQL"),
        (None, "no JSON object of GraphQL"),
        ({}, "status 400 and no JSON object"),
        ({"data": None}, "without a list of models"),
        ({"data": []}, "without a list of models"),
        ({"data": {}}, "without a list of models"),
        ({"data": {"models": None}}, "without a list of models"),
        ({"data": {"models": {"a": 1}}}, "without a list of models"),
        ({"errors": {"message": "Cannot query\nfield 'x'."}}, "answers: Cannot query field 'x'."),
        ({"data": None, "errors": [{"message": "no"}, 5]}, "answers: no"),
        ({"data": None, "errors": "no"}, "answers: no"),
        ({"data": None, "errors": [None]}, "answers: an error without a message"),
    ],
)
def test_answers_that_are_none(answer, said):
    with pytest.raises(ServerError, match=said) as error:
        asked(answer)
    assert error.value.hint
    assert len(error.value.message) < 400


@pytest.mark.parametrize("errors", [None, [], {}, ""])
def test_errors_that_are_empty(errors):
    assert stubs(asked(data(ROW, errors=errors))[0]) == [STUB]


def test_rows_beside_errors_are_taken_and_told():
    answer, spoken = asked(data(ROW, errors=[{"message": "one model is broken"}]))
    assert stubs(answer) == [STUB]
    assert answer.repaired == (("the server", "one model is broken"),)
    assert not answer.whole
    assert len(spoken.queries) == 1


def test_numbers_that_are_none_do_not_keep_an_answer_from_being_kept():
    content = json.dumps(data(ROW)).replace(
        '"modelId": "m1"',
        '"modelOnnxSizeCompressedBytes": 1e999, "trainingResults": '
        '[{"recordedUnits": "accuracy", "recordedValue": NaN}]',
    )
    answer, _ = asked(content.encode())
    json.dumps(answer.to_dict(), allow_nan=False)
    assert stubs(answer) == [STUB]


def test_a_number_without_end_loses_nothing_but_itself():
    content = json.dumps(
        data(ROW, {**ROW, "sparseTag": "base-none", "stub": None, "repoName": None})
    )
    content = content.replace('"modelId": "m1"', '"modelOnnxSizeCompressedBytes": ' + "9" * 5000, 1)
    answer, _ = asked(content.encode())
    assert len(stubs(answer)) == 2
    assert "compressed_size_bytes" not in answer.models[0]


@pytest.mark.parametrize("what", ["rows", "objects"])
def test_answers_of_too_much(what, monkeypatch):
    monkeypatch.setattr(parse_module, "_MOST_OBJECTS", 90)
    monkeypatch.setattr(api_module, "MOST_MODELS", 20)
    more = [{}] * 21 if what == "rows" else [{"files": [{}] * 90}]
    with pytest.raises(ServerError, match=r"more than 20 models|no JSON object"):
        asked(data(*more))
    assert stubs(asked(data(*[{}] * 19, ROW))[0]) == [STUB]


def refusing(*unknown, at_once=5, quote="'", arguments=False):
    """A server without some fields; it names a few of those that it is asked for."""

    def answer_to(query):
        words = re.findall(r"\w+", re.sub(r"models\([^)]*\)", "", query))
        found = [name for name in unknown if name in words]
        if arguments and "(version: 2)" in query:
            return {"errors": [{"message": "Unknown argument 'version' on field 'Model.files'."}]}
        if found:
            texts = (f"Cannot query field {quote}{name}{quote} on type {quote}Model{quote}."
                     for name in found[:at_once])  # fmt: skip
            return {"errors": [{"message": text} for text in texts]}
        return data({key: value for key, value in ROW.items() if key in words})

    return answer_to


BUT_TWO = [*(key for key in ROW if key not in ("modelId", "stub")), "files", "trainingResults",
           "benchmarkResults", "modelOnnxSizeCompressedBytes"]  # fmt: skip


PARTS = [key for key in ROW if key not in ("modelId", "stub", "repoName")]


@pytest.mark.parametrize(
    ("server", "stub", "rounds"),
    [
        (refusing("trainingScheme"), V2, 2),
        (refusing("trainingScheme", quote='"'), V2, 2),
        (refusing(*BUT_TWO, at_once=100), V2, 2),
        (refusing(*BUT_TWO, at_once=5), V2, 4),
        (refusing(*BUT_TWO, at_once=1), V2, 7),
        (refusing(*BUT_TWO, at_once=100, quote=""), V2, 7),
        # Of 1.8 and of 1.5, whatever they say of it.
        (refusing(*PARTS, quote=""), V2, 3),
        (refusing(*PARTS, at_once=1), V2, 5),
        (refusing(*PARTS, "repoName", at_once=1, arguments=True), V2, 6),
        (refusing(arguments=True), STUB, 2),
        (refusing("trainingScheme", arguments=True), V2, 3),
    ],
)
def test_servers_that_refuse_fields_are_asked_with_less(server, stub, rounds):
    answer, spoken = asked(server)
    assert stubs(answer) == [stub]
    assert len(spoken.queries) == rounds
    assert len(set(spoken.queries)) == rounds
    told = ("the server", "it does not tell the quality of its models")
    assert (told in answer.repaired) == ("trainingResults" not in spoken.queries[-1])


def test_old_clients_servers_tell_the_quality():
    """Whether they name what they do not know one a time or not at all."""
    for options in ({"at_once": 1}, {"quote": ""}):
        answer, spoken = asked(refusing(*PARTS, "repoName", arguments=True, **options))
        assert stubs(answer) == [V2]
        assert "trainingResults { " in spoken.queries[-1]
        assert answer.repaired == ()
        assert answer.whole


def test_a_server_that_refuses_all_is_not_asked_for_ever():
    with pytest.raises(ServerError, match="answers: no"):
        asked(lambda query: {"errors": [{"message": "no"}]})


def test_a_server_that_refuses_slowly_is_not_asked_in_all_the_ways():
    moments = iter(range(0, 1000, 31))
    spoken = Spoken(lambda query: {"errors": [{"message": "no"}]})
    with pytest.raises(ServerError, match="answers: no"):
        Api(parse("http://zoo"), lambda: spoken, lambda: next(moments)).ask(IC)
    assert len(spoken.queries) == 2


def test_complaints_without_end_are_told_in_part():
    answer, _ = asked(data(ROW, errors=[{"message": f"no {number}"} for number in range(10_000)]))
    assert len(answer.repaired) == 10


def test_a_name_of_two_models_names_them_both():
    scheme = row(trainingScheme="augmented")
    answer, _ = asked(data(ROW, scheme), Asked(name=V2.removeprefix("zoo:")))
    for record in parse_models(answer.models).records:
        assert len(record.ambiguous_with) == 2


ANSWERS = (
    JSON
    | st.lists(JSON | ROWS, max_size=4).map(lambda rows: {"data": {"models": rows}})
    | st.fixed_dictionaries({"errors": JSON}, optional={"data": JSON})
    | st.tuples(st.lists(ROWS, max_size=2), JSON).map(
        lambda pair: {"data": {"models": pair[0]}, "errors": pair[1]}
    )
)


@given(ANSWERS, st.sampled_from([IC, Asked(), Asked(name=V2.removeprefix("zoo:"))]))
def test_any_json_is_an_answer_or_a_server_error(answer, question):
    try:
        found, _ = asked(answer, question)
    except ServerError:
        return
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert type(found).from_dict(document) == found
