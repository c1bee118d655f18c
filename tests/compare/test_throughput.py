"""Throughput figures and the conditions they hold under."""

import pytest

from zooselect.catalog.parse import parse_models
from zooselect.compare.throughput import commonest, throughputs

FULL = {"value": 10.0, "units": "items/sec", "engine": "e", "device": "D", "cores": 4,
        "batch_size": 64, "source": "one"}  # fmt: skip


def of(*figures):
    (record,) = parse_models([{"stub": "zoo:a-b-c", "throughput": list(figures)}]).records
    return throughputs([record])


def test_conditions_in_words():
    assert of(FULL) == {"items/sec, e, D, cores 4, batch 64": 10.0}
    assert of({**FULL, "sequence_length": 384, "scenario": "sync", "note": "x"}) == {
        "items/sec, e, D, cores 4, batch 64, sequence 384, sync": 10.0
    }


@pytest.mark.parametrize(
    "other",
    [{"device": "E"}, {"cores": 8}, {"batch_size": 1}, {"engine": "f"}, {"units": "img/sec"},
     {"scenario": "sync"}, {"sequence_length": 128}],
)  # fmt: skip
def test_other_conditions_are_other_figures(other):
    assert len(of(FULL, {**FULL, **other})) == 2


def test_the_best_of_alike_figures_whatever_their_source():
    assert list(of(FULL, {**FULL, "value": 12, "source": "two"}).values()) == [12.0]


@pytest.mark.parametrize("missing", ["device", "cores", "batch_size"])
def test_what_is_not_stated_is_alike_only_within_a_source(missing):
    partly = {key: value for key, value in FULL.items() if key != missing}
    assert len(of(partly, {**partly, "source": "two"})) == 2
    assert list(of(partly, {**partly, "value": 11}).values()) == [11.0]
    assert len(of(partly, FULL)) == 2


@pytest.mark.parametrize(
    "bad", [None, 1, "fast", {}, {"value": "12"}, {"value": True}, {"value": -1}, {"value": 0}]
)
def test_what_is_no_figure_is_passed_over(bad):
    assert list(of(bad, FULL).values()) == [10.0]


def test_a_record_whose_throughput_is_no_list():
    (record,) = parse_models([{"stub": "zoo:a-b-c", "throughput": "fast"}]).records
    assert throughputs([record]) == {}


def test_the_commonest_condition():
    rows = [{"b": 1.0, "c": 1.0}, {"b": 2.0}, {"c": 1.0, "D": 3.0}]
    assert commonest(rows) == "b"
    assert commonest(rows, "d") == "D"
    assert commonest(rows, "x") is None
    assert commonest([{"b": 1.0}, {"c": 1.0}]) is None  # no two alike
    assert commonest([{"b, as in s": 1.0, "c": 1.0}] * 2) == "c"
