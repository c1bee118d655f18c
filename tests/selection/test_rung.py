from __future__ import annotations

import pytest

from zooselect.catalog.dense_size import DenseSize
from zooselect.selection.rung import Fallback, find_rung
from zooselect.selection.scope import Candidate
from zooselect.selection.size_classes import SizeClass

from .catalogs import parsed, plain

TAG = {
    "base": "base-none",
    "quantized": "base_quant-none",
    "pruned": "pruned80-none",
    "pruned_quantized": "pruned80_quant-none",
}
CLASS = SizeClass(22, 20)


def candidates(*pairs: tuple[str, float]) -> list[Candidate]:
    return [
        Candidate(record, DenseSize(millions, "record"))
        for number, (optimization, millions) in enumerate(pairs)
        for record in parsed([plain(TAG[optimization], f"net{number}")])
    ]


def found(rung):
    return [(one.record.optimization, one.size.millions) for one in rung.candidates]


@pytest.mark.parametrize("wanted", ["base", "quantized", "pruned_quantized"])
def test_what_is_wanted_comes_first(wanted):
    rung = find_rung(candidates(*((one, 21) for one in TAG), (wanted, 22)), CLASS, wanted)
    assert rung is not None
    assert found(rung) == [(wanted, 21), (wanted, 22)]
    assert rung.fallback is None
    assert not rung.least_sparse_first


@pytest.mark.parametrize(
    ("wanted", "there", "got"),
    [
        ("quantized", ("base", "pruned", "pruned_quantized"), "pruned_quantized"),
        ("quantized", ("base", "pruned"), "base"),
        ("quantized", ("pruned",), "pruned"),
        ("pruned_quantized", ("base", "quantized", "pruned"), "pruned"),
        ("pruned_quantized", ("base", "quantized"), "quantized"),
        ("pruned_quantized", ("base",), "base"),
    ],
)
def test_what_stands_in(wanted, there, got):
    # What is wanted exists in another class: the class comes before the optimization.
    rung = find_rung(
        candidates((wanted, 19), (wanted, 23), *((o, 21) for o in there)), CLASS, wanted
    )
    assert rung is not None
    assert found(rung) == [(got, 21)]
    reason = f"no {wanted} model in the size class 20-22 M"
    assert rung.fallback == Fallback(wanted, got, reason)
    assert rung.fallback.to_dict() == {"wanted": wanted, "got": got, "reason": reason}
    assert rung.least_sparse_first == ((wanted, got) == ("quantized", "pruned_quantized"))


@pytest.mark.parametrize("wanted", ["quantized", "pruned_quantized"])
def test_nothing_of_another_class_stands_in(wanted):
    assert find_rung(candidates((wanted, 19), ("base", 23)), CLASS, wanted) is None


def test_base_of_the_nearest_size_above():
    some = candidates(
        ("base", 100), ("base", 23.5), ("base", 23), ("base", 23), ("base", 19.9), ("quantized", 21)
    )
    rung = find_rung(some, CLASS, "base")
    assert rung is not None
    # Just that size, and not the whole class it lies in.
    assert found(rung) == [("base", 23), ("base", 23)]
    assert rung.fallback is not None
    assert (rung.fallback.wanted, rung.fallback.got) == ("base", "base")
    assert "above" in rung.fallback.reason
    assert "23 M" in rung.fallback.reason


def test_else_base_of_the_largest_size_below():
    some = candidates(("base", 5), ("base", 19), ("base", 18.5), ("pruned_quantized", 21))
    rung = find_rung(some, CLASS, "base")
    assert rung is not None
    assert found(rung) == [("base", 19)]
    assert rung.fallback is not None
    assert "below" in rung.fallback.reason
    assert "19 M" in rung.fallback.reason


def test_no_base_at_all():
    some = candidates(("quantized", 21), ("pruned", 21), ("pruned_quantized", 30))
    assert find_rung(some, CLASS, "base") is None
