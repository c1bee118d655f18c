"""Which networks are quantized or sparse already: one rule for all that starts from a dense one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from zooselect.errors import UsageError
from zooselect.plan.onnx_layers import graph_layers

#: Operators that compute in integers, or come before and after such.
QUANTIZED_OPERATORS = {
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "ConvInteger",
    "QLinearMatMul", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "QGemm",
    "MatMulNBits", "QAttention", "QLinearAdd", "QMoE",
}  # fmt: skip
#: A network of this fraction of zeros in its layers has been pruned before.
SPARSE = 0.10


def refuse_optimized(graph: Any, folder: str) -> None:
    """Refuse a network that is INT8 or sparse already.

    Args:
        graph: the network.
        folder: where its file is, for weights that stand in others.

    Raises:
        UsageError: it is.
    """
    refuse_quantized(graph)
    refuse_sparse(*_counted(graph, folder))


def refuse_quantized(graph: Any) -> None:
    """Refuse a network that is INT8 already.

    Raises:
        UsageError: it has operators of quantized networks.
    """
    counts = Counter(node.op_type for node in graph.node if node.op_type in QUANTIZED_OPERATORS)
    if counts:
        kind, count = counts.most_common(1)[0]
        raise UsageError(
            f"the model is quantized already: {count} x {kind}",
            hint="start from the float model; --force takes what is still float in this one",
        )


def refuse_sparse(zeros: int, weights: int) -> None:
    """Refuse a network that was pruned before.

    Args:
        zeros: how many of its layers' weights are zero.
        weights: how many there are.

    Raises:
        UsageError: too many are zero.
    """
    if weights and zeros / weights >= SPARSE:
        raise UsageError(
            f"the model is sparse already: {zeros / weights:.1%} of its layers' weights are zero",
            hint="start from the dense model; --force counts those zeros in",
        )


def _counted(graph: Any, folder: str) -> tuple[int, int]:
    """How many of the layers' weights are zero, and how many there are, as far as they are here."""
    import numpy as np

    tensors = {one.name: one for one in graph.initializer}
    tensors |= {
        node.output[0]: attribute.t
        for node in graph.node
        for attribute in node.attribute
        if node.op_type == "Constant" and attribute.name == "value"
    }
    zeros = weights = 0
    for layer in graph_layers(graph)[0]:
        values = _values(tensors[layer.name], folder)
        if values is not None:
            weights += values.size
            zeros += values.size - int(np.count_nonzero(values))
    return zeros, weights


def _values(tensor: Any, folder: str) -> Any:
    """A tensor's numbers; None where they are not here: a plan needs no more than shapes."""
    from onnx import numpy_helper

    try:
        return numpy_helper.to_array(tensor, folder)
    except Exception:  # which ones depends on the version
        return None
