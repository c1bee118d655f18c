"""Answers as they are kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.test_rows import JSON
from zooselect.catalog.answer import Answer, digest_of, iso, seconds
from zooselect.catalog.asked import Asked

ANSWER = Answer(
    "mirror", "http://zoo/catalog.json", Asked(), 1_800_000_000, "sha256:0",
    [{"stub": "zoo:a-b-c"}], compiled="2026-01-02", etag='"1"', skipped=(("zoo:x", "why"),),
)  # fmt: skip


def test_there_and_back():
    assert Answer.from_dict(json.loads(json.dumps(ANSWER.to_dict()))) == ANSWER


@pytest.mark.parametrize("name", ANSWER.to_dict())
def test_without_a_part_it_is_none(name):
    document = ANSWER.to_dict()
    del document[name]
    assert Answer.from_dict(document) is None


@given(JSON | st.dictionaries(st.sampled_from(sorted(ANSWER.to_dict())), JSON))
def test_anything_else_is_none(document):
    assert Answer.from_dict(document) is None
    if isinstance(document, dict):
        kept = Answer.from_dict({**ANSWER.to_dict(), **document})
        assert kept is None or isinstance(kept.models, list)


def test_digests():
    one, two = {"a": 1, "b": 2}, {"c": 3}
    assert digest_of([one, two]) == digest_of([two, {"b": 2, "a": 1}])
    assert digest_of([one]) != digest_of([one, one]) != digest_of([one, two])


def test_moments():
    assert iso(1_800_000_000.9) == "2027-01-15T08:00:00Z"
    assert seconds("2027-01-15T08:00:00Z") == 1_800_000_000
    with pytest.raises(ValueError, match="Invalid isoformat"):
        seconds("yesterday")
