"""The text of a question, and what is left out when a server refuses it."""

import graphql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect.catalog.asked import Asked
from zooselect.catalog.query import FIELDS, LEAST, arguments_of, fewer, query
from zooselect.stub import Stub

NAMES = [field.name for field in FIELDS]


def parsed(text):
    """The arguments and fields of a query's one root field."""
    (operation,) = graphql.parse(text).definitions
    (root,) = operation.selection_set.selections
    assert (operation.operation.value, root.name.value) == ("query", "models")
    assert not operation.directives
    assert not operation.variable_definitions
    assert not root.directives
    arguments = {one.name.value: one.value.value for one in root.arguments or ()}
    return arguments, [one.name.value for one in root.selection_set.selections]


@given(st.dictionaries(st.sampled_from(["domain", "task", "repoName"]), st.text()))
def test_no_value_changes_the_query(arguments):
    assert parsed(query(arguments, FIELDS)) == (arguments, NAMES)


@pytest.mark.parametrize(
    "value",
    ['"', '\\"', "\\", '") { stub } a: models(', "\n", "\u2028", "\x00", "${x}", "é", "😀", '"""'],
)
def test_odd_values(value):
    assert parsed(query({"domain": value}, LEAST)) == ({"domain": value}, ["modelId", "stub"])


@pytest.mark.parametrize(
    ("asked", "arguments"),
    [
        (Asked(), {}),
        (Asked("cv", "classification"), {"domain": "cv", "task": "classification"}),
        (Asked.of_stub(Stub.parse("zoo:a-b-c")), {"repoName": "a-b-c"}),
        (Asked.of_stub(Stub.parse("cv/detection/y-s/p/u/coco/base-none?recipe=x")),
         {"domain": "cv", "task": "detection"}),
    ],
)  # fmt: skip
def test_questions(asked, arguments):
    assert arguments_of(asked) == arguments
    assert parsed(query(arguments_of(asked), FIELDS))[0] == arguments


def left(message, fields=FIELDS):
    return [str(field) for field in fewer(fields, [message])]


def without(*names):
    return [str(field) for field in FIELDS if field.name not in names]


@pytest.mark.parametrize(
    "message",
    [
        "Cannot query field 'trainingScheme' on type 'Model'.",
        'Cannot query field "trainingScheme" on type "Model". Did you mean "trainingDataset"?',
        "Cannot query field `trainingScheme`. Did you mean 'stub' or 'repo'?",
    ],
)
def test_a_field_that_is_named_goes(message):
    assert left(message) == without("trainingScheme")


@pytest.mark.parametrize(
    "message",
    [
        "Unknown argument 'version' on field 'Model.files'.",
        'Unknown argument "version" on field "files" of type "Model".',
    ],
)
def test_arguments_go_before_their_field(message):
    less = left(message)
    assert "files { displayName fileSize }" in less
    assert len(less) == len(FIELDS)
    assert left(message.replace("version", "files"), FIELDS) == without("files")


def test_what_is_proposed_is_not_refused():
    assert left("Cannot query field 'sparseTag'. Did you mean 'stub'?") == without("sparseTag")


@pytest.mark.parametrize(
    "message",
    [
        "Cannot query field 'sparseTag' on type 'stub'.",
        "Cannot query field 'sparseTag' on type 'Model'. Perhaps you meant 'stub' or 'repo'.",
        "Field 'sparseTag' is not known; there are 'modelId', 'stub', 'trainingResults'",
        "type 'Model' has no field 'sparseTag'",
    ],
)
def test_what_is_named_besides_is_not_refused(message):
    assert left(message) == without("sparseTag")


def test_a_field_of_two_lists_goes_where_it_is_needed_less_first():
    refusal = "Cannot query field 'recordedUnits' on type 'Result'."
    once = fewer(FIELDS, [refusal])
    inner = {field.name: field.fields for field in once}
    assert "recordedUnits" in inner["trainingResults"]
    assert "recordedUnits" not in inner["benchmarkResults"]
    assert [str(field) for field in fewer(FIELDS, [refusal] * 2)] == left(refusal, once)
    assert "recordedUnits" not in " ".join(left(refusal, once))


def test_where_nothing_is_named_it_is_asked_as_older_clients_did():
    fields, seen = FIELDS, []
    while (fields := fewer(fields, ["no"])) is not None:
        seen.append(fields)
    lists = [[str(field) for field in one if field.fields] for one in seen]
    assert len(seen) == 6
    assert [field.name for field in seen[0]] == [n for n in NAMES if n != "trainingScheme"]
    assert "repoName" in [field.name for field in seen[1]]
    assert lists[1] == [str(field) for field in FIELDS if field.fields]
    assert [one.split()[0] for one in lists[2]] == ["trainingResults", "benchmarkResults", "files"]
    assert [one.split()[0] for one in lists[3]] == ["trainingResults", "benchmarkResults"]
    assert [one.split()[0] for one in lists[4]] == ["trainingResults"]
    assert seen[5] == LEAST


def test_a_server_that_names_one_field_a_time_is_soon_asked_as_old_clients_did():
    less = fewer(FIELDS, ["Cannot query field 'domain' on type 'Model'."], by_name=False)
    assert [field.name for field in less] == [
        "modelId", "stub", "repoName", "modelOnnxSizeCompressedBytes", "trainingResults",
        "benchmarkResults", "files",
    ]  # fmt: skip


def test_a_server_that_refuses_all_is_left_in_the_end():
    assert fewer(LEAST, ["Cannot query field 'stub' and 'modelId'"]) is None


@given(st.lists(st.text() | st.sampled_from([f"'{name}'" for name in NAMES])), st.integers(0, 9))
def test_it_ends(messages, by_name):
    fields, rounds = FIELDS, 0
    while (fields := fewer(fields, messages, by_name=rounds < by_name)) is not None:
        rounds += 1
        assert fields
        assert rounds < 10
