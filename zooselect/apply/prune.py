"""Magnitude pruning: the smallest weights become zero, exactly as many as planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from zooselect.plan.layers import Layer

if TYPE_CHECKING:
    from zooselect.apply.network import Array

#: Whose weights compete: those of each layer, or those of all pruned layers.
SCOPES = ("layer", "global")
_HALF = 16
_LOW = (1 << _HALF) - 1


def zeros_per_layer(layers: Sequence[Layer], sparsity: float) -> dict[str, int]:
    """Return how many zeros each layer gets when each is pruned to the sparsity."""
    return {layer.name: round(sparsity * layer.numel) for layer in layers}


def zeros_globally(
    layers: Sequence[Layer], sparsity: float, read: Callable[[str], Array]
) -> dict[str, int]:
    """Return how many zeros each layer gets when the smallest weights of all are pruned.

    In all they are as many as planned. No layer loses more than half of what the sparsity
    would leave it, or one threshold could empty a layer of small weights.

    Args:
        layers: the layers to prune.
        sparsity: fraction of all their weights.
        read: gives the weights of a layer; asked several times, one layer at a time.
    """
    wanted = round(sparsity * sum(layer.numel for layer in layers))
    caps = {layer.name: int((1 + sparsity) / 2 * layer.numel) for layer in layers}
    counts: dict[str, int] = {}
    open_layers = [layer.name for layer in layers]
    while open_layers:
        found = _below_threshold(open_layers, wanted - sum(counts.values()), read)
        full = [name for name in open_layers if found[name] > caps[name]]
        if not full:
            return counts | found
        counts |= {name: caps[name] for name in full}
        open_layers = [name for name in open_layers if name not in counts]
    return counts


def zero_smallest(weights: Array, count: int) -> Array:
    """Return the weights with so many set to zero, the smallest first.

    Of equal ones those that stand first, so that every machine makes the same choice.
    """
    import numpy as np

    if count <= 0:
        return weights
    flat: Array = weights.ravel().copy()
    sizes = np.abs(flat)
    threshold = np.partition(sizes, count - 1)[count - 1]
    smaller = sizes < threshold
    equal = np.flatnonzero(sizes == threshold)[: count - int(np.count_nonzero(smaller))]
    flat[smaller] = 0.0
    flat[equal] = 0.0
    return flat.reshape(weights.shape)


def _below_threshold(
    names: Sequence[str], wanted: int, read: Callable[[str], Array]
) -> dict[str, int]:
    """How many of the `wanted` smallest weights of several layers stand in each.

    Sizes of floats are ordered as their bits are, so two histograms of half the bits each
    find the threshold exactly and need no room for the weights.
    """
    import numpy as np

    def bits(name: str) -> Array:
        weights: Array = np.abs(read(name)).ravel()
        values: Array = weights.view(np.uint32)
        return values

    def histogram(values: Array) -> Array:
        counts: Array = np.bincount(values, minlength=_LOW + 1)
        return counts

    high = np.zeros(_LOW + 1, np.int64)
    for name in names:
        high += histogram(bits(name) >> _HALF)
    top = int(np.searchsorted(np.cumsum(high), max(wanted, 1)))
    rest = wanted - int(np.sum(high[:top]))
    low = np.zeros(_LOW + 1, np.int64)
    for name in names:
        values = bits(name)
        low += histogram(values[values >> _HALF == top] & _LOW)
    threshold = (top << _HALF) + int(np.searchsorted(np.cumsum(low), max(rest, 1)))
    counts, equal = {}, {}
    for name in names:
        values = bits(name)
        counts[name] = int(np.count_nonzero(values < threshold))
        equal[name] = int(np.count_nonzero(values == threshold))
    left = wanted - sum(counts.values())
    for name in names:
        more = min(left, equal[name])
        counts[name] += more
        left -= more
    return counts
