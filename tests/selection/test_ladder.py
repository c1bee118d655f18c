from __future__ import annotations

import pytest

from zooselect.errors import NoCandidateError
from zooselect.level import BANDS, SPARSE_TRANSFER
from zooselect.selection.ladder import ladder_of
from zooselect.selection.question import Question
from zooselect.selection.size_classes import SizeClass
from zooselect.task import Task

from .catalogs import catalog_of, plain

IC = Task.parse("image_classification")

LARGE_BASE = plain("base-none", "large", millions=100)
LARGE_LEAST = plain("pruned50_quant-none", "large", millions=100, sparsity=50, quality=70)
LARGE_BEST = plain("pruned90_quant-none", "large", millions=100, sparsity=90, quality=80)
MEDIUM = plain("pruned80_quant-none", "mid", millions=50, sparsity=80)
MEDIUM_PRUNED = plain("pruned80-none", "mid", millions=50, sparsity=80)
SMALL = plain("pruned40_quant-none", "small", millions=10, sparsity=40)
HUGE_BASE = plain("base-none", "huge", millions=1000)
MODELS = [LARGE_BASE, LARGE_LEAST, LARGE_BEST, MEDIUM, MEDIUM_PRUNED, SMALL, HUGE_BASE]


def ladder(models=MODELS, **options):
    return ladder_of(catalog_of(models), Question(IC, **options))


def axis(models=MODELS, **options):
    found = ladder(models, **options)
    picks = []
    for band in BANDS[SPARSE_TRANSFER]:
        try:
            picks.append(found.at(band).record.stub)
        except NoCandidateError:
            picks.append(None)
    return picks


def test_one_network_stays_under_the_knob():
    assert axis() == [one["stub"] for one in (LARGE_BASE, LARGE_LEAST, LARGE_BEST, MEDIUM, SMALL)]


def test_all_sizes_puts_every_size_under_the_knob():
    assert axis(all_sizes=True) == [
        HUGE_BASE["stub"],
        HUGE_BASE["stub"],  # quantized, by fallback to base
        HUGE_BASE["stub"],
        LARGE_BEST["stub"],  # the second of four classes
        SMALL["stub"],
    ]


def test_strict_forbids_every_fallback():
    assert axis(strict=True) == [
        LARGE_BASE["stub"], None, LARGE_BEST["stub"], MEDIUM["stub"], SMALL["stub"],
    ]  # fmt: skip


def test_classes_and_tiers():
    found = ladder()
    assert found.classes == (SizeClass(100, 100), SizeClass(50, 50), SizeClass(10, 10))
    assert found.size_class("medium") == SizeClass(50, 50)
    assert [found.tiers_of(index) for index in range(3)] == [
        ("largest",),
        ("medium",),
        ("smallest",),
    ]


def test_base_falls_back_upwards_before_downwards():
    models = [LARGE_LEAST, MEDIUM, plain("base-none", "mid", millions=50)]
    pick = ladder([*models, HUGE_BASE]).pick("largest", "base")
    assert pick.record.stub == HUGE_BASE["stub"]
    assert pick.size.millions == 1000
    assert pick.fallback is not None
    pick = ladder(models).pick("largest", "base")
    assert pick.record.stub == models[2]["stub"]
    assert pick.fallback is not None


def test_no_base_at_all():
    with pytest.raises(NoCandidateError) as caught:
        ladder([LARGE_LEAST, LARGE_BEST, MEDIUM]).pick("largest", "base")
    error = caught.value
    assert "no base model of image_classification" in error.message
    assert error.nearest == (
        (LARGE_LEAST["stub"], "optimization pruned_quantized"),
        (LARGE_BEST["stub"], "optimization pruned_quantized"),
    )
    assert LARGE_LEAST["stub"] in error.message
    assert "zooselect levels image_classification" in error.hint


def test_the_advice_of_another_level_holds():
    """Under strict, with no model pruned and quantized, no level at all has an answer."""
    models = [plain("pruned80-none")]
    assert axis(models, strict=True) == [None] * 5
    with pytest.raises(NoCandidateError) as caught:
        ladder(models, strict=True).pick("largest", "base")
    assert "any level above 0.0 has an answer" not in caught.value.hint


def test_no_base_left_by_a_filter_names_the_filter():
    models = [LARGE_LEAST, plain("base-none", "large", millions=100, framework="keras")]
    with pytest.raises(NoCandidateError) as caught:
        ladder(models, framework="pytorch").pick("largest", "base")
    assert "framework" in caught.value.message + caught.value.hint


def test_strict_names_what_it_forbids():
    with pytest.raises(NoCandidateError) as caught:
        ladder(strict=True).pick("largest", "quantized")
    error = caught.value
    assert "no quantized model in the size class 100 M" in error.message
    assert "--strict" in error.message
    assert LARGE_LEAST["stub"] in error.message
    assert "--strict" in error.hint
    assert [stub for stub, _ in error.nearest] == [LARGE_LEAST["stub"]]


def test_an_error_is_raised_afresh_each_time():
    found = ladder(strict=True)
    errors = []
    for _ in range(2):
        with pytest.raises(NoCandidateError) as caught:
            found.pick("largest", "quantized")
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert errors[0].message == errors[1].message
    assert errors[0].hint == errors[1].hint
    assert errors[0].nearest == errors[1].nearest


def test_why():
    pick = ladder().pick("largest", "pruned_quantized")
    assert pick.why == "first of 2 on its rung (pruned_quantized, 100 M)"
    assert pick.alternatives == (
        (LARGE_LEAST["stub"], "top1_accuracy 70, below 80"),
        (LARGE_BASE["stub"], "optimization base, not pruned_quantized"),
    )


def test_why_the_least_sparse():
    pick = ladder().pick("largest", "quantized")
    assert pick.record.stub == LARGE_LEAST["stub"]
    assert pick.alternatives == (
        (LARGE_BEST["stub"], "90 % sparse, more than 50 %"),
        (LARGE_BASE["stub"], "optimization base, not pruned_quantized"),
    )


def test_alone_on_its_rung():
    pick = ladder().pick("smallest", "pruned_quantized")
    assert pick.why == "alone on its rung (pruned_quantized, 10 M)"
    assert pick.alternatives == ()


def test_a_question_is_worked_out_once():
    catalog = catalog_of(MODELS)
    found = ladder_of(catalog, Question(IC))
    assert ladder_of(catalog, Question(IC)) is found
    assert found.pick("medium", "base") is found.pick("medium", "base")
    assert ladder_of(catalog, Question(IC, strict=True)) is not found
    assert ladder_of(catalog_of(MODELS), Question(IC)) is not found


def test_what_is_remembered_is_bounded():
    catalog = catalog_of(MODELS)
    first = ladder_of(catalog, Question(IC))
    for number in range(100):
        ladder_of(catalog, Question(IC, dataset=f"mine{number}"))
    again = ladder_of(catalog, Question(IC))
    assert again is not first
    assert again.classes == first.classes
