"""Ways through the graphs of ONNX files, for all that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def inner_graphs(node: Any) -> Iterator[Any]:
    """Yield the graphs inside a node, as If and Loop have them."""
    for attribute in node.attribute:
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g


def tensors_of(graph: Any) -> Iterator[Any]:
    """Yield every tensor of a graph: initializers, attributes, those of inner graphs."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
        for inner in inner_graphs(node):
            yield from tensors_of(inner)
