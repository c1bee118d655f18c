"""Which layers of a model are pruned, and which practice leaves dense.

The rules, in the order they are asked:

* Only weights of convolutions and linear layers are pruned: parameters called `….weight` of
  two dimensions or more, but for embeddings, which are known by their names.
* The first convolution (the stem) stays dense: it holds few weights and every feature
  passes through it.
* The last layer (the classifier, or the language-model head) stays dense, for the same
  reasons at the other end. Of a list, it is the last line that names a layer; of an ONNX
  graph, every layer that no other stands behind.

Gale, Elsen and Hooker, "The State of Sparsity in Deep Neural Networks" (2019), leave the
first convolution dense and prune the last layer less than the rest; leaving both dense is
the careful form of that.

A list of bare names is no description of a model but a choice: exactly those are pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

from zooselect.errors import UsageError

STEM, HEAD = "first convolution", "last layer"

#: Names of modules that are tables looked up rather than multiplied by, beside all that
#: have `emb` at the start of a word.
_EMBEDDINGS = ("wte", "wpe", "shared", "tok", "relative_attention_bias")
_MATRIX = 2
_WEIGHT = ".weight"


class Layer(NamedTuple):
    """One weight of a model.

    Attributes:
        name: the parameter's name, e.g. `layer1.0.conv1.weight`.
        shape: its dimensions; empty where they are not known.
    """

    name: str
    shape: tuple[int, ...] = ()

    @property
    def module(self) -> str:
        """Name of the module it belongs to."""
        return self.name.removesuffix(_WEIGHT)

    @property
    def numel(self) -> int:
        """How many numbers it holds; 0 where the shape is not known."""
        return prod(self.shape) if self.shape else 0


class Layers(NamedTuple):
    """The weights of a model, sorted into what is pruned and what stays dense.

    Attributes:
        pruned: at least one.
        dense: what stays dense, as (layer, reason).
    """

    pruned: tuple[Layer, ...]
    dense: tuple[tuple[Layer, str], ...] = ()

    @property
    def named(self) -> bool:
        """Whether all carry their parameters' names; exporters write `onnx::Conv_42` else."""
        return not any("::" in one.name for one in (*self.pruned, *(one for one, _ in self.dense)))

    @property
    def share(self) -> float | None:
        """Fraction of all these weights that stands in pruned layers; None if not known."""
        pruned = sum(layer.numel for layer in self.pruned)
        dense = sum(layer.numel for layer, _ in self.dense)
        known = all(layer.shape for layer in (*self.pruned, *(one for one, _ in self.dense)))
        return pruned / (pruned + dense) if known else None


def sort_layers(weights: Sequence[Layer], roles: Mapping[str, str] | None = None) -> Layers:
    """Apply the rules to a model's weights, given in the order the model runs them.

    Args:
        weights: the weights, with their shapes; norms (one dimension) and embeddings are
            passed over.
        roles: for each name whose place is known from the graph, `STEM` or `HEAD`; None
            to take the first convolution and the last weight.

    Raises:
        UsageError: nothing is left to prune.
    """
    matrices = [one for one in weights if _is_layer(one)]
    if roles is None:
        roles = _roles_by_order(matrices)
    pruned = tuple(one for one in matrices if one.name not in roles)
    if not pruned:
        raise UsageError(
            f"none of the model's {len(weights)} weights is a layer to prune",
            hint="two dimensions or more, no embedding, neither first convolution nor last layer",
        )
    return Layers(pruned, tuple((one, roles[one.name]) for one in matrices if one.name in roles))


def parse_layers(lines: Iterable[str]) -> Layers:
    """Read a list of layers: a parameter or module name a line, dimensions after it or none.

    `for name, p in model.named_parameters(): print(name, *p.shape)` prints a whole model,
    to which the rules are applied; names without dimensions are pruned as listed.

    Raises:
        UsageError: a line of another form; the message has its number.
    """
    layers: dict[str, Layer] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        name, *sizes = words
        if not all(size.isascii() and size.isdigit() and int(size) for size in sizes):
            raise UsageError(
                f"line {number} of the layer list is not a name and dimensions: {line.strip()!r}",
                hint="print(name, *p.shape) for each of model.named_parameters() makes the list",
            )
        layers[name] = Layer(name, tuple(int(size) for size in sizes))
    if not layers:
        raise UsageError("the layer list is empty", hint="one parameter or module name a line")
    # Where any has dimensions it is a whole model, and those without are scalars of it.
    if any(one.shape for one in layers.values()):
        return sort_layers([one for one in layers.values() if one.name.endswith(_WEIGHT)])
    names = [name.removesuffix(_WEIGHT) for name in layers if not name.endswith(".bias")]
    return Layers(tuple(Layer(name + _WEIGHT) for name in dict.fromkeys(names)))


def _is_layer(weight: Layer) -> bool:
    return len(weight.shape) >= _MATRIX and not any(map(_is_embedding, weight.name.split(".")))


def _is_embedding(word: str) -> bool:
    word = word.lower()
    return word in _EMBEDDINGS or any(part.startswith("emb") for part in word.split("_"))


def _roles_by_order(matrices: Sequence[Layer]) -> dict[str, str]:
    roles = {matrices[-1].name: HEAD} if matrices else {}
    stem = next((one for one in matrices if len(one.shape) > _MATRIX), None)
    if stem is not None:
        roles[stem.name] = STEM
    return roles
