"""Make a graph ready: weights where they can be reached, batch norms folded, opset 13 or later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from zooselect.apply.graphs import remove_nodes, users_of
from zooselect.apply.network import Network, check
from zooselect.apply.norms import fold_batch_norms
from zooselect.errors import IntegrityError, UsageError
from zooselect.plan.onnx_layers import DOMAINS, WEIGHTED

if TYPE_CHECKING:
    from zooselect.apply.network import Array

#: The first opset whose DequantizeLinear takes a scale for each channel, and its IR version.
OPSET, _IR = 13, 7
_EXPORT_LATER = f"export it again with opset {OPSET} or later"
#: Since this IR version an initializer is a constant unless it is an input as well.
_IR_CONSTANTS = 4
#: Operators of one output that a weight is followed through.
_FOLDED = ("Identity", "Transpose", "Cast")


class Prepared(NamedTuple):
    """What was done to a graph before anything was pruned.

    Attributes:
        opset: the opset it came with.
        converted: whether it was converted to a later one.
        folded: how many batch norms went into the layers before them.
        left: how many batch norms stand where no layer takes them.
    """

    opset: int
    converted: bool
    folded: int
    left: int


def prepare(network: Network) -> Prepared:
    """Prepare a network in place; what it computes stays the same but for rounding.

    Raises:
        UsageError: an opset that cannot be converted.
        IntegrityError: it is not valid ONNX.
    """
    opset = _opset(network.model)
    _drop_constant_inputs(network)
    network.model.ir_version = max(network.model.ir_version, _IR)
    check(network.save("checked.onnx"), "the model")
    if opset < OPSET:
        _convert(network, opset)
    _constants_to_initializers(network)
    _reach_weights(network)
    folded = fold_batch_norms(network)
    _unshare_weights(network)
    drop_unused(network)
    left = sum(node.op_type == "BatchNormalization" for node in network.model.graph.node)
    return Prepared(opset, opset < OPSET, folded, left)


def _opset(model: Any) -> int:
    own = [one.version for one in model.opset_import if one.domain in DOMAINS]
    return int(own[0]) if own else OPSET


def _drop_constant_inputs(network: Network) -> None:
    """Take initializers off the list of inputs, where old exporters put them too."""
    graph = network.model.graph
    old = network.model.ir_version < _IR_CONSTANTS
    weights = {name for node in graph.node if node.op_type in WEIGHTED for name in node.input[1:]}
    for value in list(graph.input):
        if value.name in network and (old or value.name in weights):
            graph.input.remove(value)


def _convert(network: Network, opset: int) -> None:
    """Convert to opset 13, large tensors standing aside as inputs meanwhile."""
    from onnx import helper, version_converter

    model = network.model
    if model.functions:
        raise UsageError(
            f"the model has opset {opset}, and functions of its own, which onnx does not convert",
            hint=_EXPORT_LATER,
        )
    aside = [one for one in model.graph.initializer if one.external_data]
    for tensor in aside:
        model.graph.initializer.remove(tensor)
        value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(value)
    try:
        converted = version_converter.convert_version(model, OPSET)
    except Exception as error:  # the converter has no type of its own
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"the model has opset {opset}, and onnx cannot convert it to {OPSET}: {reason}",
            hint=_EXPORT_LATER,
        ) from error
    names = {tensor.name for tensor in aside}
    for value in [one for one in converted.graph.input if one.name in names]:
        converted.graph.input.remove(value)
    converted.graph.initializer.extend(aside)
    # The converter drops what it does not know.
    del converted.metadata_props[:]
    converted.metadata_props.extend(model.metadata_props)
    network.replace(converted)


def _constants_to_initializers(network: Network) -> None:
    from onnx import numpy_helper

    graph = network.model.graph
    outputs = {one.name for one in graph.output}
    doomed = set()
    for node in graph.node:
        if (
            node.op_type != "Constant"
            or not node.attribute
            or node.attribute[0].name != "value"
            or node.output[0] in outputs
        ):
            continue
        tensor = node.attribute[0].t
        if tensor.external_data:
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
            network.adopt(graph.initializer[-1])
        else:
            network.set(node.output[0], numpy_helper.to_array(tensor))
        doomed.add(node.output[0])
    remove_nodes(graph, doomed)


def _reach_weights(network: Network) -> None:
    """Compute weights that stand behind transpositions, and give them to their layers."""
    graph = network.model.graph
    source = {name: node for node in graph.node for name in node.output}
    users = users_of(graph)
    made: dict[str, str] = {}
    for node in _layers(network):
        name = node.input[1]
        chain: list[Any] = []
        while name in source and _followed(source[name]):
            chain.append(source[name])
            name = chain[-1].input[0]
        if not chain or name not in network:
            continue
        end = node.input[1]
        if end not in made:
            array = network.get(name)
            try:
                for step in reversed(chain):
                    array = _folded(step, array)
            except ValueError as error:
                raise IntegrityError(
                    f"the weight {name!a} cannot be transposed: {error}", hint="export it again"
                ) from error
            # A weight nobody else wants keeps its name, for plans and people go by it.
            alone = all(len(users[one]) == 1 for one in (name, *_outputs(chain[1:])))
            alone = alone and all(_is_weight_of(one, end) for one in users[end])
            if alone:
                network.remove(name)
            made[end] = name if alone else network.fresh(f"{name}.transposed")
            network.set(made[end], array)
        node.input[1] = made[end]
    _drop_dead_nodes(graph)


def _followed(node: Any) -> bool:
    """Whether a weight is a weight still behind a node: numbers stay numbers."""
    from onnx import TensorProto

    kinds = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
    to = next((one.i for one in node.attribute if one.name == "to"), TensorProto.FLOAT)
    return node.op_type in _FOLDED and node.domain in DOMAINS and to in kinds


def _outputs(nodes: list[Any]) -> Iterator[str]:
    for node in nodes:
        yield from node.output


def _folded(node: Any, array: Array) -> Array:
    import numpy as np
    from onnx import helper

    values = {one.name: one for one in node.attribute}
    if node.op_type == "Transpose":
        order = list(values["perm"].ints) if "perm" in values else None
        return np.ascontiguousarray(array.transpose(order))
    if node.op_type == "Cast":
        return array.astype(helper.tensor_dtype_to_np_dtype(values["to"].i))
    return array


def _unshare_weights(network: Network) -> None:
    """Give layers a copy of their own of a weight that others look things up in."""
    users = users_of(network.model.graph)
    for name in sorted({node.input[1] for node in _layers(network)} & network.names):
        if all(_is_weight_of(one, name) for one in users[name]):
            continue
        copy = network.fresh(f"{name}.layer")
        network.set(copy, network.get(name))
        for one in users[name]:
            if _is_weight_of(one, name):
                one.input[1] = copy


def _is_weight_of(node: Any, name: str) -> bool:
    return (
        node is not None
        and node.op_type in WEIGHTED
        and node.domain in DOMAINS
        and [at for at, one in enumerate(node.input) if one == name] == [1]
    )


def _layers(network: Network) -> Iterator[Any]:
    for node in network.model.graph.node:
        if node.op_type in WEIGHTED and node.domain in DOMAINS and len(node.input) > 1:
            yield node


def _drop_dead_nodes(graph: Any) -> None:
    """Take away the folded nodes whose results nobody uses any more."""
    users = users_of(graph)
    dead = set()
    for node in reversed(graph.node):
        if node.op_type in _FOLDED and not users[node.output[0]]:
            dead.add(node.output[0])
            users[node.input[0]].remove(node)
    remove_nodes(graph, dead)


def drop_unused(network: Network) -> None:
    """Take away the initializers nothing uses."""
    used = users_of(network.model.graph)
    for name in sorted(network.names):
        if name not in used:
            network.remove(name)
