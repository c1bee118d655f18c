"""Which nodes of a graph are layers, and which weights no layer reaches."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from zooselect.apply.network import Network
from zooselect.onnx_graph import inner_graphs
from zooselect.plan.onnx_layers import DOMAINS, WEIGHTED


class LayerNode(NamedTuple):
    """A node that multiplies by a constant float32 weight.

    Attributes:
        node: the node.
        weight: name of the initializer.
        axis: the weight's dimension of output channels; None to scale it as a whole.
        channels: how many there are.
    """

    node: Any
    weight: str
    axis: int | None
    channels: int


class Unreached(NamedTuple):
    """A weight that is neither pruned nor quantized, for no layer multiplies by it.

    Attributes:
        name: the tensor's name.
        numel: how many numbers it holds.
        used_by: the operators that use it.
    """

    name: str
    numel: int
    used_by: tuple[str, ...]


def layer_nodes(network: Network) -> list[LayerNode]:
    """Return the layers of a prepared graph, in the order it runs them."""
    from onnx import TensorProto

    layers = []
    for node in network.model.graph.node:
        if node.op_type not in WEIGHTED or node.domain not in DOMAINS or len(node.input) < 2:
            continue
        name = node.input[1]
        if name not in network or node.input[0] in network:
            continue
        tensor = network.tensor(name)
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) >= 2 and prod(tensor.dims):
            axis = _axis(node, len(tensor.dims))
            layers.append(LayerNode(node, name, axis, 1 if axis is None else tensor.dims[axis]))
    return layers


def unreached(network: Network, layers: list[LayerNode]) -> tuple[Unreached, ...]:
    """Return every float tensor of two dimensions or more that no layer multiplies by."""
    from onnx import TensorProto

    floats = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
    reached = {layer.weight for layer in layers}
    users = {one.name: {"the model's output"} for one in network.model.graph.output}
    _note_users(network.model.graph, users)
    found = [
        Unreached(name, prod(one.dims), tuple(sorted(users.get(name, ()))))
        for name, one in _named_tensors(network.model.graph)
        # A dimension of ones makes no matrix: scales and biases are shaped so.
        if one.data_type in floats and sum(size > 1 for size in one.dims) > 1
        if name not in reached
    ]
    graph = network.model.graph
    found += [
        Unreached(one.values.name, prod(one.dims), tuple(sorted(users.get(one.values.name, ()))))
        for one in graph.sparse_initializer
    ]
    return tuple(found)


def _named_tensors(graph: Any) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of a graph and of those in it, by the names nodes use them by."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield node.output[0] if node.output else "", attribute.t
        for inner in inner_graphs(node):
            yield from _named_tensors(inner)


def _note_users(graph: Any, users: dict[str, set[str]], inside: str = "") -> None:
    """Note the operators that use each name, also in inner graphs."""
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, set()).add(node.op_type + inside)
        for inner in inner_graphs(node):
            _note_users(inner, users, f" inside {node.op_type}")


def _axis(node: Any, rank: int) -> int | None:
    values = {one.name: one.i for one in node.attribute}
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        # With groups, one channel of this dimension is several of the output.
        return 1 if values.get("group", 1) == 1 else None
    if rank != 2:
        return None  # a stack of matrices
    return 0 if node.op_type == "Gemm" and values.get("transB", 0) else 1
