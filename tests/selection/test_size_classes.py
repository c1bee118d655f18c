from __future__ import annotations

import math

import pytest

from zooselect.selection.size_classes import SizeClass, size_classes


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ([], []),
        ([7], [(7, 7)]),
        ([7, 7, 7.0], [(7, 7)]),
        ([1, 100, 10], [(100, 100), (10, 10), (1, 1)]),
        # A class is as wide as its largest allows: it is no chain from one to the next.
        ([10, 10.9, 11.8], [(11.8, 10.9), (10, 10)]),
        ([10, 10.5, 11, 11.5, 12], [(12, 11), (10.5, 10)]),
        ([25.56, 25.3, 23.83, 4.23], [(25.56, 23.83), (4.23, 4.23)]),
        ([138.36, 132.86, 124.65, 109.48], [(138.36, 132.86), (124.65, 124.65), (109.48, 109.48)]),
    ],
)
def test_classes_largest_first(sizes, wanted):
    assert size_classes(sizes) == tuple(SizeClass(*one) for one in wanted)
    assert size_classes(reversed(sizes)) == size_classes(iter(sizes))


def test_a_size_joins_at_exactly_the_factor():
    largest = 1.10 * 10
    assert size_classes([largest, 10]) == (SizeClass(largest, 10),)
    above = math.nextafter(largest, math.inf)
    assert size_classes([above, 10]) == (SizeClass(above, above), SizeClass(10, 10))
    below = math.nextafter(10, 0)
    assert size_classes([largest, below]) == (SizeClass(largest, largest), SizeClass(below, below))


def test_a_class_holds_what_lies_between_its_ends():
    one = SizeClass(25.56, 23.83)
    assert one.holds(25.56)
    assert one.holds(24)
    assert one.holds(23.83)
    assert not one.holds(25.57)
    assert not one.holds(23.82)


def test_a_class_names_its_sizes():
    assert str(SizeClass(25.56, 23.83)) == "23.83-25.56 M"
    assert str(SizeClass(4.23, 4.23)) == "4.23 M"
