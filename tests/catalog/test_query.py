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


def test_where_nothing_is_named_the_lists_go_one_by_one():
    fields, seen = FIELDS, []
    while (fields := fewer(fields, ["no"])) is not None:
        seen.append([field.name for field in fields if field.fields])
    assert seen == [["trainingResults", "benchmarkResults"], ["trainingResults"], [], []]


def test_a_server_that_refuses_all_is_left_in_the_end():
    assert fewer(LEAST, ["Cannot query field 'stub' and 'modelId'"]) is None


@given(st.lists(st.text() | st.sampled_from([f"'{name}'" for name in NAMES])))
def test_it_ends(messages):
    fields, rounds = FIELDS, 0
    while (fields := fewer(fields, messages)) is not None:
        rounds += 1
        assert fields
        assert rounds < 10
