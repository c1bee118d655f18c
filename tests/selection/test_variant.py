from __future__ import annotations

import pytest

from zooselect.selection.variant import Order, hardware_targets

from .catalogs import parsed, plain
from .reference import has_hardware_target

METRIC = "top1_accuracy"


def one(tag: str = "pruned80_quant-none", architecture: str = "foo", **more):
    (record,) = parsed([plain(tag, architecture, **more)])
    return record


def result(value, units=None, suspect=None, metric=METRIC):
    return {"metric": metric, "value": value, "units": units, "suspect": suspect}


# Each pair differs in one step, and in every later step the other would win.
STEPS = {
    "known quality": (
        one("pruned1_quant-none-vnni", "z", quality=1.5, confidence="low", framework="keras"),
        one("pruned_quant-none", "a", sparsity=99),
        "no top1_accuracy on record",
    ),
    "higher quality": (
        one("pruned1_quant-none-vnni", "z", quality=76.3, confidence="low", framework="keras"),
        one("pruned_quant-none", "a", quality=76.2, sparsity=99),
        "top1_accuracy 76.2, below 76.3",
    ),
    "stated sparsity": (
        one("pruned_quant-none-vnni", "z", quality=70, sparsity=0, confidence="low"),
        one("pruned_quant-none", "a", quality=70),
        "states no sparsity",
    ),
    "higher sparsity": (
        one("pruned_quant-none-vnni", "z", quality=70, sparsity=80.5, confidence="low"),
        one("pruned_quant-none", "a", quality=70, sparsity=80),
        "80 % sparse, less than 80.5 %",
    ),
    "no hardware target": (
        one("pruned_quant-none", "z", sparsity=80, confidence="low", framework="keras"),
        one("pruned_quant-none-vnni", "a", sparsity=80),
        "made for vnni alone",
    ),
    "confidence high before medium": (
        one("pruned_quant-none", "z", confidence="high", framework="keras"),
        one("pruned_quant-none", "a", confidence="medium"),
        "confidence medium, below high",
    ),
    "confidence medium before low": (
        one("pruned_quant-none", "z", confidence="medium", framework="keras"),
        one("pruned_quant-none", "a", confidence="low"),
        "confidence low, below medium",
    ),
    "pytorch": (
        one("pruned_quant-none", "z", framework="pytorch"),
        one("pruned_quant-none", "a", framework="keras"),
        "framework keras, not pytorch",
    ),
    "a framework that is not named is not pytorch": (
        one("pruned_quant-none", "foo"),
        one("pruned_quant", "foo", version=2),
        "framework not named, not pytorch",
    ),
    "the stub": (
        one("pruned_quant-none", "Z"),  # code points: capitals before small letters
        one("pruned_quant-none", "a"),
        "equal in all that counts; its stub sorts later",
    ),
}


@pytest.mark.parametrize(("first", "second", "why"), STEPS.values(), ids=STEPS)
def test_each_step(first, second, why):
    order = Order(METRIC)
    assert order.sorted([second, first]) == [first, second]
    assert order.sorted([first, second]) == [first, second]
    assert order.why_not(second, first) == why


def test_the_least_sparse_first():
    least = one("pruned_quant-none-vnni", "z", sparsity=40, confidence="low")
    more = one("pruned_quant-none", "a", sparsity=41, quality=99)
    unstated = one("pruned_quant-none", "b", quality=100)
    best = one("pruned_quant-none", "y", sparsity=40, quality=10)
    order = Order(METRIC, least_sparse_first=True)
    assert order.sorted([unstated, more, least, best]) == [best, least, more, unstated]
    assert order.why_not(more, least) == "41 % sparse, more than 40 %"
    assert order.why_not(unstated, least) == "states no sparsity"


def test_zero_is_a_stated_sparsity_and_a_known_quality():
    zero = one(architecture="z", sparsity=0, quality=0)
    assert Order(METRIC).sorted([one(), zero])[0] == zero
    assert Order(METRIC, least_sparse_first=True).sorted([one(sparsity=1), zero])[0] == zero


@pytest.mark.parametrize(
    "tag", ["pruned_quant-none-vnni", "pruned_vnni_quant-none", "pruned.vnni_quant-none"]
)
def test_the_target_comes_first(tag):
    wanted = one(tag, "z", confidence="low", framework="keras")
    other = one("pruned_quant-none", quality=99, sparsity=99)
    elsewhere = one("pruned_quant-none-4block", "a", quality=99, sparsity=99)
    order = Order(METRIC, target="vnni")
    assert order.sorted([other, elsewhere, wanted]) == [wanted, other, elsewhere]
    assert order.why_not(other, wanted) == "not made for vnni"


def test_the_target_comes_before_the_least_sparsity():
    wanted = one("pruned90.4block_quant", "z", sparsity=90, version=2)
    other = one("pruned_quant-none", sparsity=10)
    order = Order(METRIC, target="4block", least_sparse_first=True)
    assert order.sorted([other, wanted]) == [wanted, other]


def test_without_a_record_for_the_target_the_order_is_as_ever():
    some = [
        one(architecture=name, quality=quality)
        for name, quality in zip("abc", (1, 3, 2), strict=True)
    ]
    assert Order(METRIC, target="vnni").sorted(some) == Order(METRIC).sorted(some)


def test_two_names_of_one_model():
    first = one("pruned_quant-none", quality=2)
    second = one("pruned_quant", quality=1, version=2, stub_v1=first.stub)
    assert second.aliases == (first.stub,)
    assert Order(METRIC).why_not(second, first) == "the same model under another name"


def test_quality_is_the_best_that_is_believed():
    record = one(
        results=[
            result(70.0, "%"),
            result(99.0, "%", suspect="copied from another model"),
            result(0.76, "top1_accuracy (0-1)"),
            result(75.9, "top1_accuracy (0-100)"),
            result(100, "%", metric="top5_accuracy"),
        ]
    )
    assert record.quality(METRIC) == 76.0
    assert record.quality("F1") is None
    assert record.quality(None) is None


@pytest.mark.parametrize(
    ("value", "units", "percent"),
    [
        (0.5, None, 50),
        (1, None, 100),
        (1.5, None, 1.5),
        (0.5, "mAP@0.5 (0-1)", 50),
        (0, "mAP@0.5 (0-1)", 0),
        (0.5, "%", 0.5),
        (0.75, "mAP@0.5 (0-100)", 0.75),
        (56.6, "mAP@0.5 (0-100)", 56.6),
    ],
)
def test_fractions_of_one_are_scaled(value, units, percent):
    assert one(results=[result(value, units)]).quality(METRIC) == percent


def test_only_suspect_results_are_no_quality():
    assert one(results=[result(99, "%", suspect="why")]).quality(METRIC) is None


@pytest.mark.parametrize(
    ("tag", "version", "targets"),
    [
        ("pruned80-none", 1, ()),
        ("pruned80_quant-none-vnni", 1, ("vnni",)),
        ("pruned80-none-arm", 1, ("arm",)),
        ("pruned80.4block_quant-none", 1, ("4block",)),
        ("pruned80_quant-none-4block_2", 1, ("4block", "4block_2")),
        ("pruned90.4block_quantized", 2, ("4block",)),
        ("pruned80.4block_quant_vnni", 2, ("4block", "vnni")),
        ("pruned_vnnix", 2, ()),
        ("base", 2, ()),
        ("pruned80-none-", 1, ()),  # an empty third part names nothing
    ],
)
def test_hardware_targets(tag, version, targets):
    record = plain(tag, version=version)
    (read,) = parsed([record])
    assert hardware_targets(read) == targets
    assert has_hardware_target(record) == bool(targets)
