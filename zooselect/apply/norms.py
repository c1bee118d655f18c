"""Batch norms folded into the layers before them."""

from __future__ import annotations

from typing import Any

from zooselect.apply.graphs import Users, remove_nodes, users_of
from zooselect.apply.network import Network
from zooselect.plan.onnx_layers import DOMAINS


def fold_batch_norms(network: Network) -> int:
    """Fold the batch norms that can be, in place; return how many."""
    graph = network.model.graph
    source = {name: node for node in graph.node for name in node.output}
    users = users_of(graph)
    layers: dict[str, Any] = {}
    for norm in graph.node:
        if norm.op_type != "BatchNormalization" or norm.domain not in DOMAINS:
            continue
        layer = source.get(norm.input[0])
        if (
            layer is None
            or layer.op_type not in ("Conv", "ConvTranspose", "Gemm")
            or layer.domain not in DOMAINS
            or len(users[norm.input[0]]) > 1
            or not _foldable(network, users, layer, norm)
        ):
            continue
        _fold(network, layer, norm)
        layers[norm.output[0]] = layer
    remove_nodes(graph, set(layers))
    for output, layer in layers.items():
        layer.output[0] = output
    return len(layers)


def _foldable(network: Network, users: Users, layer: Any, norm: Any) -> bool:
    tensors = [*layer.input[1:3], *norm.input[1:5]]
    if not all(name in network or not name for name in tensors) or len(norm.output) > 1:
        return False
    # Weights that several layers share are not any one norm's to change.
    if any(len(users[name]) > 1 for name in layer.input[1:3] if name):
        return False
    weight = list(network.tensor(layer.input[1]).dims)
    channels = weight[_axis(layer)] if len(weight) > 1 else 0
    if any(list(network.tensor(name).dims) != [channels] for name in norm.input[1:5]):
        return False
    if any(
        network.tensor(one).dims[-1:] not in ([], [1], [channels])
        for one in layer.input[2:3]
        if one
    ):
        return False
    kinds = {network.tensor(name).data_type for name in tensors if name}
    values = {one.name: one for one in (*layer.attribute, *norm.attribute)}
    if len(kinds) > 1 or ("training_mode" in values and values["training_mode"].i):
        return False
    if layer.op_type == "ConvTranspose":
        return "group" not in values or values["group"].i == 1
    return all(values[key].f == 1.0 for key in ("alpha", "beta") if key in values)


def _fold(network: Network, layer: Any, norm: Any) -> None:
    import numpy as np

    scale, shift, mean, variance = (network.get(one).astype(float) for one in norm.input[1:5])
    epsilon = next((one.f for one in norm.attribute if one.name == "epsilon"), 1e-5)
    factor = scale / np.sqrt(variance + epsilon)
    weight = network.get(layer.input[1])
    axis = _axis(layer)
    each = factor.reshape([-1 if at == axis else 1 for at in range(weight.ndim)])
    network.set(layer.input[1], (weight * each).astype(weight.dtype))
    bias = network.get(layer.input[2]) if len(layer.input) > 2 and layer.input[2] else 0.0
    moved = ((bias - mean) * factor + shift).astype(weight.dtype)
    name = network.fresh(f"{layer.input[1]}.folded_bias")
    network.set(name, moved)
    inputs = [*layer.input[:2], name]
    del layer.input[:]
    layer.input.extend(inputs)


def _axis(layer: Any) -> int:
    """The weight's dimension of output channels."""
    transposed = any(one.name == "transB" and one.i for one in layer.attribute)
    return 0 if layer.op_type == "Conv" or transposed else 1
