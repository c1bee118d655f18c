from __future__ import annotations

import pytest

from zooselect.catalog.dense_size import DenseSize
from zooselect.selection.scope import Candidate
from zooselect.selection.size_classes import SizeClass
from zooselect.selection.tier import ladder_classes, tier_index, tiers_of

from .catalogs import parsed, plain


def candidates(*pairs: tuple[str, float]) -> list[Candidate]:
    return [
        Candidate(record, DenseSize(millions, "record"))
        for number, (tag, millions) in enumerate(pairs)
        for record in parsed([plain(tag, f"net{number}")])
    ]


@pytest.mark.parametrize(
    ("count", "medium"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (7, 3)]
)
def test_the_three_tiers(count, medium):
    assert tier_index("largest", count) == 0
    assert tier_index("medium", count) == medium
    assert tier_index("smallest", count) == count - 1


def test_a_class_may_be_several_tiers_or_none():
    assert tiers_of(0, 1) == ("largest", "medium", "smallest")
    assert [tiers_of(index, 2) for index in range(2)] == [("largest", "medium"), ("smallest",)]
    assert [tiers_of(index, 4) for index in range(4)] == [
        ("largest",),
        ("medium",),
        (),
        ("smallest",),
    ]


MIXED = (
    ("base-none", 100),
    ("pruned80_quant-none", 50),
    ("pruned80-none", 40),
    ("base-none", 21),
    ("pruned80_quant-none", 20),
    ("base_quant-none", 5),
)


def test_the_ladder_is_of_what_exists_pruned_and_quantized():
    assert ladder_classes(candidates(*MIXED), all_sizes=False) == (
        SizeClass(50, 50),
        SizeClass(21, 20),  # the whole class, also the base model that shares it
    )


def test_all_sizes():
    assert ladder_classes(candidates(*MIXED), all_sizes=True) == (
        SizeClass(100, 100),
        SizeClass(50, 50),
        SizeClass(40, 40),
        SizeClass(21, 20),
        SizeClass(5, 5),
    )


def test_all_sizes_where_nothing_is_pruned_and_quantized():
    some = candidates(("base-none", 100), ("pruned80-none", 40), ("base_quant-none", 5))
    wanted = (SizeClass(100, 100), SizeClass(40, 40), SizeClass(5, 5))
    assert ladder_classes(some, all_sizes=False) == wanted
    assert ladder_classes(some, all_sizes=True) == wanted
