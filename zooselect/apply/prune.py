"""Magnitude pruning: the smallest weights become zero, exactly as many as planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from zooselect.plan.layers import Layer

if TYPE_CHECKING:
    from zooselect.apply.network import Array

#: Whose weights compete: those of each layer, or those of all pruned layers.
SCOPES = ("layer", "global")
_HALF = 16
_LOW = (1 << _HALF) - 1
_BLOCK = 1 << 20


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
    sizes = np.abs(weights).ravel()
    sizes.partition(count - 1)
    threshold = sizes[count - 1]
    left = count - int(np.count_nonzero(sizes[:count] < threshold))
    del sizes
    pruned: Array = weights.copy()
    for block in _blocks(pruned):
        magnitudes = np.abs(block)
        equal = np.flatnonzero(magnitudes == threshold)[:left]
        left -= len(equal)
        block[magnitudes < threshold] = 0.0
        block[equal] = 0.0
    return pruned


def _below_threshold(
    names: Sequence[str], wanted: int, read: Callable[[str], Array]
) -> dict[str, int]:
    """How many of the `wanted` smallest weights of several layers stand in each."""
    import numpy as np

    threshold, left = _threshold(names, wanted, read)
    counts = {}
    for name in names:
        below = equal = 0
        for block in _blocks(read(name)):
            sizes = _sizes(block)
            below += int(np.count_nonzero(sizes < threshold))
            equal += int(np.count_nonzero(sizes == threshold))
        counts[name] = below + min(left, equal)
        left -= min(left, equal)
    return counts


def _threshold(names: Sequence[str], wanted: int, read: Callable[[str], Array]) -> tuple[int, int]:
    """The size of the last of the `wanted` smallest weights, and how many of just that size go.

    Sizes of floats are ordered as their bits are, so two histograms of half the bits each
    find it exactly and need no room for the weights.
    """
    import numpy as np

    high, low = np.zeros((2, _LOW + 1), np.int64)
    for name in names:
        for block in _blocks(read(name)):
            high += np.bincount(_sizes(block) >> _HALF, minlength=_LOW + 1)
    top = int(np.searchsorted(np.cumsum(high), max(wanted, 1)))
    rest = wanted - int(np.sum(high[:top]))
    for name in names:
        for block in _blocks(read(name)):
            sizes = _sizes(block)
            low += np.bincount(sizes[sizes >> _HALF == top] & _LOW, minlength=_LOW + 1)
    bottom = int(np.searchsorted(np.cumsum(low), max(rest, 1)))
    return (top << _HALF) + bottom, rest - int(np.sum(low[:bottom]))


def _blocks(weights: Array) -> Iterator[Array]:
    """Yield views of so many numbers at a time: what is made of them is small."""
    flat = weights.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        yield flat[start : start + _BLOCK]


def _sizes(block: Array) -> Array:
    """The sizes of floats, as their bits."""
    import numpy as np

    sizes: Array = np.abs(block).view(np.uint32)
    return sizes
