import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from zooselect.apply.prune import zero_smallest, zeros_globally, zeros_per_layer
from zooselect.plan.layers import Layer

# Eighths: many are equal, and all are exact in float32.
NUMBERS = st.integers(-32, 32).map(lambda value: value / 8)
WEIGHTS = arrays(np.float32, array_shapes(min_dims=2, max_dims=4, max_side=5), elements=NUMBERS)


@given(WEIGHTS, st.floats(0, 1))
def test_exactly_so_many_zeros_and_the_smallest(weights, share):
    count = round(share * weights.size)
    before = weights.copy()
    pruned = zero_smallest(weights, count)
    assert np.array_equal(weights, before)
    # Those that were zero are among the smallest.
    assert np.sum(pruned == 0) == max(count, np.sum(before == 0))
    kept = pruned != 0
    assert np.array_equal(pruned[kept], before[kept])
    if kept.any() and not kept.all():
        assert np.abs(before[~kept]).max() <= np.abs(before[kept]).min()


def test_of_equal_weights_the_first_go():
    weights = np.array([[1, -1, 1], [-1, 1, 2]], np.float32)
    assert zero_smallest(weights, 3).tolist() == [[0, 0, 0], [-1, 1, 2]]


def test_shares_of_each_layer():
    layers = [Layer("a", (3, 3)), Layer("b", (10, 10))]
    assert zeros_per_layer(layers, 0.5142857) == {"a": 5, "b": 51}


@given(st.lists(WEIGHTS, min_size=1, max_size=4), st.floats(0.4, 0.8))
def test_one_threshold_for_all(tensors, sparsity):
    weights = {str(at): one for at, one in enumerate(tensors)}
    layers = [Layer(name, one.shape) for name, one in weights.items()]
    counts = zeros_globally(layers, sparsity, lambda name: weights[name].copy())
    total = sum(one.size for one in tensors)
    caps = {name: int((1 + sparsity) / 2 * one.size) for name, one in weights.items()}
    assert all(counts[name] <= caps[name] for name in weights)
    assert sum(counts.values()) == min(round(sparsity * total), sum(caps.values()))
    if all(counts[name] < caps[name] for name in weights):
        # Nothing held it back: it is what sorting all of them gives.
        everything = np.sort(np.concatenate([np.abs(one).ravel() for one in tensors]))
        threshold = everything[sum(counts.values()) - 1] if sum(counts.values()) else -1
        for name, one in weights.items():
            below, upto = np.sum(np.abs(one) < threshold), np.sum(np.abs(one) <= threshold)
            assert below <= counts[name] <= upto
