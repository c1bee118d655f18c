"""The Pareto front: the rule by hand, and its properties over random figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect.compare.pareto import Figures, dominates, dominators

BEST = Figures(10.0, True, 90.0, 75.0, 1000, 50.0)

FEW = st.sampled_from([1.0, 2.0, 3.0])
MAYBE = st.none() | FEW
ROWS = st.dictionaries(
    st.text(st.sampled_from("abcdef"), min_size=1, max_size=2),
    st.builds(
        Figures, FEW, st.booleans(), MAYBE, MAYBE, st.none() | st.sampled_from([1, 2]), MAYBE
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize(
    "worse",
    [
        {"dense_millions": 11.0}, {"int8": False}, {"sparsity_percent": 80.0}, {"quality": 74.0},
        {"size_bytes": 1001}, {"throughput": 49.0},
        {"dense_millions": 11.0, "quality": 1.0, "throughput": 1.0},
    ],
)  # fmt: skip
def test_worse_in_something_and_better_in_nothing_is_dominated(worse):
    other = BEST._replace(**worse)
    assert dominates(BEST, other)
    assert not dominates(other, BEST)


def test_equals_do_not_dominate_each_other():
    assert not dominates(BEST, BEST)
    assert dominators({"a": BEST, "b": BEST}) == {"a": (), "b": ()}


def test_each_better_in_something_neither_dominates():
    other = BEST._replace(quality=76.0, sparsity_percent=80.0)
    assert not dominates(BEST, other)
    assert not dominates(other, BEST)


@pytest.mark.parametrize("unknown", ["sparsity_percent", "quality", "size_bytes", "throughput"])
def test_a_figure_one_has_and_the_other_lacks_keeps_them_apart(unknown):
    other = BEST._replace(dense_millions=1000.0, **{unknown: None})
    assert not dominates(BEST, other)
    assert not dominates(other._replace(dense_millions=1.0), BEST)


@pytest.mark.parametrize("unknown", ["sparsity_percent", "size_bytes", "throughput"])
def test_a_figure_neither_has_is_left_out(unknown):
    one = BEST._replace(**{unknown: None})
    assert dominates(one, one._replace(quality=74.0))


def test_without_quality_nothing_is_compared():
    one = BEST._replace(quality=None)
    assert not dominates(one, one._replace(dense_millions=1000.0))


@given(ROWS)
def test_the_front_as_the_rule_says_row_by_row(rows):
    found = dominators(rows)
    front = {stub for stub, above in found.items() if not above}
    assert list(found) == list(rows)
    assert front
    for stub, above in found.items():
        by_hand = {one for one in rows if dominates(rows[one], rows[stub])}
        # every dominated row is dominated by a row of the front, and by all those told
        assert set(above) == by_hand & front
        assert bool(above) == bool(by_hand)


@pytest.mark.parametrize(
    "quality", [lambda size: None, float], ids=["none", "the larger the better"]
)
def test_a_large_catalog_whose_models_do_not_dominate(quality):
    """Fails by taking for ever: compared each with each, these take long."""
    rows = {
        str(size): Figures(size, False, 0.0, quality(size), None, None) for size in range(20_000)
    }
    assert set(dominators(rows).values()) == {()}


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, random):
    shuffled = list(rows.items())
    random.shuffle(shuffled)
    assert dominators(dict(shuffled)) == dominators(rows)


@given(ROWS, st.randoms(use_true_random=False))
def test_taking_dominated_rows_away_leaves_the_front(rows, random):
    found = dominators(rows)
    front = {stub for stub, above in found.items() if not above}
    kept = {stub: one for stub, one in rows.items() if stub in front or random.random() < 0.5}
    after = dominators(kept)
    assert {stub for stub, above in after.items() if not above} == front
    assert all(after[stub] == found[stub] for stub in kept)


@given(ROWS)
def test_dominance_is_a_strict_order(rows):
    figures = list(rows.values())
    for one in figures:
        assert not dominates(one, one)
        for other in figures:
            assert not (dominates(one, other) and dominates(other, one))
            for third in figures:
                if dominates(one, other) and dominates(other, third):
                    assert dominates(one, third)
