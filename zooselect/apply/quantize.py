"""Static INT8 quantization in onnxruntime's QDQ form.

Weights become int8, symmetric and scaled by output channel: their zero points are 0, so
that a pruned weight stays an exact zero. Activations become uint8, scaled to the range
calibration found. Biases become int32. The float operators stay, between QuantizeLinear and
DequantizeLinear, and onnxruntime runs them in integers.

No sum saturates, on any CPU. On x86 without VNNI onnxruntime multiplies with VPMADDUBSW, which
adds two neighbouring products in int16: 255 * (127 + 127) is twice what that holds, and the
result is wrong without a word (onnxruntime issues 5849, 6004; pull request 12088). So a
channel is scaled to the greatest weight or sum of two neighbours, whichever is more: 255 * 128
fits. All kernels of its library MLAS for SSE4.1, AVX2 and AVX-512 go to int32 after one such
sum, and pair what stands side by side in the order of `_by_output`. Halving the range of all
weights (onnxruntime's `reduce_range`) needs no such order and loses more: docs/apply.md.

Else the arithmetic is that of `onnxruntime.quantization.quantize_static` (WeightSymmetric,
per_channel, min-max calibration); a test holds the int8 weights to it. It is done here
because that tool holds several copies of the model in memory and places its nodes otherwise:
it also quantizes what stands before an activation function, which onnxruntime would run into
the convolution, and the results of matrix products, which lose accuracy and gain nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zooselect.apply.calibrate import Ranges
from zooselect.apply.network import Network
from zooselect.apply.prepare import drop_unused
from zooselect.apply.weighted import LayerNode
from zooselect.errors import IntegrityError

if TYPE_CHECKING:
    from zooselect.apply.network import Array

#: What is added to the name of a weight.
QUANTIZED = "_quantized"
_WEIGHT_LIMIT, _ACTIVATION_LIMIT = 127, 255
#: Biases are held in int32; a bit is left so that rounding cannot leave it.
_BIAS_LIMIT = float(1 << 30)
#: A convolution and one of these behind it are one step of onnxruntime's.
_ACTIVATIONS = ("Relu", "Clip")
#: Operators that only move numbers: what is quantized before them still is behind them.
_MOVING = ("MaxPool", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity")


class Scale(NamedTuple):
    """How a float value becomes uint8: value / scale + zero_point."""

    scale: Any
    zero_point: Any


class Places(NamedTuple):
    """Where a network is quantized beside its weights.

    Attributes:
        inputs: for each value a layer takes, the value whose range it has.
        outputs: values that are quantized as soon as they are computed.
    """

    inputs: dict[str, str]
    outputs: frozenset[str]

    @property
    def watched(self) -> list[str]:
        """The values calibration must watch, each once."""
        return list(dict.fromkeys((*self.inputs.values(), *sorted(self.outputs))))


def places(network: Network, layers: Sequence[LayerNode]) -> Places:
    """Return where to quantize a network for these layers to run in integers."""
    graph = network.model.graph
    source = {name: node for node in graph.node for name in node.output}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    results = {one.name for one in graph.output}
    outputs = set()
    for layer in layers:
        if layer.node.op_type == "Conv":
            name = layer.node.output[0]
            after = users.get(name, [])
            if len(after) == 1 and name not in results and after[0].op_type in _ACTIVATIONS:
                name = after[0].output[0]
            outputs.add(name)
    inputs = {}
    for layer in layers:
        name = origin = layer.node.input[0]
        while origin not in outputs and origin in source and source[origin].op_type in _MOVING:
            origin = source[origin].input[0]
        inputs[name] = origin if origin in outputs else name
    return Places(inputs, frozenset(outputs))


def quantize(network: Network, layers: Sequence[LayerNode], where: Places, ranges: Ranges) -> None:
    """Quantize layers of a network in place.

    Raises:
        IntegrityError: a weight that is not finite.
    """
    scales = {name: _scale(*ranges[name]) for name in where.watched}
    weights = _Weights(network, layers, where, scales)
    by_output = {layer.node.output[0]: layer for layer in layers}
    graph = network.model.graph
    nodes: list[Any] = []
    seen: dict[str, str] = {}
    for node in graph.node:
        layer = by_output.get(node.output[0]) if node.output else None
        if layer is not None:
            name = node.input[0]
            if name not in where.outputs and name not in seen:
                seen[name] = network.fresh(f"{name}_dequantized")
                nodes += _pair(network, name, name, seen[name], scales[where.inputs[name]])
            node.input[0] = seen.get(name, name)
            nodes += weights.into(node, layer)
        nodes.append(node)
        for at, name in enumerate(node.output):
            if name in where.outputs:
                # The name goes to the dequantized value: all that use it see the same.
                node.output[at] = network.fresh(f"{name}_float")
                nodes += _pair(network, name, node.output[at], name, scales[name])
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    drop_unused(network)
    _keep_value_info(graph)


class _Weights:
    """The int8 weights and int32 biases of a network, made when the first layer asks."""

    def __init__(
        self,
        network: Network,
        layers: Sequence[LayerNode],
        where: Places,
        scales: dict[str, Scale],
    ) -> None:
        self._network = network
        self._made: dict[tuple[str, int | None], tuple[str, Array]] = {}
        self._floors: dict[tuple[str, int | None], Any] = {}
        self._input_scale: dict[str, Any] = {}
        for layer in layers:
            name = layer.node.input[0]
            # Kept by output: the input is renamed on the way.
            scale = scales[where.inputs[name]].scale
            self._input_scale[layer.node.output[0]] = scale
            bias = self._bias(layer)
            if bias is not None:
                floor = abs(network.get(bias).ravel()) / (float(scale) * _BIAS_LIMIT)
                key = (layer.weight, layer.axis)
                known = self._floors.get(key)
                self._floors[key] = floor if known is None else floor.clip(min=known)
        self._outputs = {id(layer): layer.node.output[0] for layer in layers}

    def into(self, node: Any, layer: LayerNode) -> list[Any]:
        """Give a node its quantized weight and bias; return the nodes to put before it."""
        from onnx import helper

        network, nodes = self._network, []
        key = (layer.weight, layer.axis)
        bias = self._bias(layer)
        if key not in self._made:
            name, scale = self._quantized(layer)
            result = network.fresh(f"{layer.weight}_dequantized")
            self._made[key] = (result, scale)
            inputs = [name, f"{name}_scale", f"{name}_zero_point"]
            axis: dict[str, Any] = {} if layer.axis is None else {"axis": layer.axis}
            nodes.append(
                helper.make_node("DequantizeLinear", inputs, [result], name=result, **axis)
            )
        node.input[1], scale = self._made[key]
        if bias is not None:
            nodes.append(self._quantized_bias(node, layer, bias, scale))
        return nodes

    def _bias(self, layer: LayerNode) -> str | None:
        """The layer's bias, where it is one number for each channel and added as it is."""
        inputs = layer.node.input
        if layer.node.op_type == "MatMul" or len(inputs) < 3 or inputs[2] not in self._network:
            return None
        tensor = self._network.tensor(inputs[2])
        plain = all(one.f == 1.0 for one in layer.node.attribute if one.name in ("alpha", "beta"))
        fits = layer.axis is not None and list(tensor.dims) in _bias_shapes(layer)
        return str(inputs[2]) if plain and fits else None

    def _quantized(self, layer: LayerNode) -> tuple[str, Array]:
        import numpy as np

        network = self._network
        weight = network.get(layer.weight)
        if not np.all(np.isfinite(weight)):
            raise IntegrityError(
                f"the weight {layer.weight!a} has NaN or infinite numbers", hint="export it again"
            )
        scale = _peaks(weight, layer) / np.float32(_WEIGHT_LIMIT)
        floor = self._floors.get((layer.weight, layer.axis))
        if floor is not None:
            # A channel of tiny weights and a large bias: int32 has to hold that too.
            scale = np.maximum(scale, floor.reshape(scale.shape))
        # Subnormal numbers have no inverse; such a channel rounds to zeros.
        scale = np.where(scale < np.finfo(np.float32).tiny, 1.0, scale).astype(np.float32)
        weight /= scale
        np.rint(weight, out=weight)
        np.clip(weight, -_WEIGHT_LIMIT, _WEIGHT_LIMIT, out=weight)
        flat = scale.ravel() if layer.axis is not None else scale.reshape(())
        name = network.fresh(layer.weight + QUANTIZED)
        network.set(name, weight.astype(np.int8))
        network.set(f"{name}_scale", flat)
        network.set(f"{name}_zero_point", np.zeros(flat.shape, np.int8))
        return name, flat

    def _quantized_bias(self, node: Any, layer: LayerNode, bias: str, scale: Array) -> Any:
        import numpy as np
        from onnx import helper

        network = self._network
        each = (scale * self._input_scale[self._outputs[id(layer)]]).astype(np.float32)
        numbers = np.rint(network.get(bias).ravel() / each.astype(float)).astype(np.int32)
        name = network.fresh(bias + QUANTIZED)
        network.set(name, numbers)
        network.set(f"{name}_scale", each)
        network.set(f"{name}_zero_point", np.zeros(each.shape, np.int32))
        result = network.fresh(f"{bias}_dequantized")
        node.input[2] = result
        inputs = [name, f"{name}_scale", f"{name}_zero_point"]
        return helper.make_node("DequantizeLinear", inputs, [result], name=result, axis=0)


def _bias_shapes(layer: LayerNode) -> list[list[int]]:
    """The shapes of a bias with one number for each channel; Gemm takes a row as well."""
    return [[layer.channels], *([[1, layer.channels]] if layer.node.op_type == "Gemm" else [])]


def _peaks(weight: Array, layer: LayerNode) -> Array:
    """Each channel's greatest size of a weight, or of the sum of two that are added in int16.

    Scaled to 127, rounding makes that sum 128 at most.
    """
    import numpy as np

    rows = _by_output(weight, layer)
    count = rows.shape[-1]
    peaks = _sizes(rows)
    if count > 1:
        peaks = np.maximum(peaks, _sizes(rows[..., : count - 1 : 2] + rows[..., 1::2]))
    if layer.axis is None:
        peaks = np.max(peaks)
    return peaks.reshape([-1 if at == layer.axis else 1 for at in range(weight.ndim)])


def _sizes(rows: Array) -> Array:
    import numpy as np

    sizes: Array = np.maximum(rows.max(-1), -rows.min(-1))
    return sizes


def _by_output(weight: Array, layer: LayerNode) -> Array:
    """The weight with all an output is the sum of in the last dimension, as kernels order it.

    For a convolution that is position by position, and at each one channel after the other.
    """
    import numpy as np

    if layer.node.op_type in ("Conv", "ConvTranspose"):
        inputs = 1 if layer.node.op_type == "Conv" else 0
        return np.moveaxis(weight, inputs, -1).reshape(weight.shape[1 - inputs], -1)
    return weight if layer.axis == 0 else np.swapaxes(weight, -1, -2)


def _scale(low: float, high: float) -> Scale:
    import numpy as np

    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / _ACTIVATION_LIMIT)
    if scale < np.finfo(np.float32).tiny:
        return Scale(np.float32(1.0), np.uint8(0))
    zero_point = np.clip(np.rint(-low / scale), 0, _ACTIVATION_LIMIT)
    return Scale(scale, np.uint8(zero_point))


def _pair(network: Network, name: str, value: str, result: str, scale: Scale) -> list[Any]:
    """QuantizeLinear and DequantizeLinear between a value and its result."""
    import numpy as np
    from onnx import helper

    numbers = [network.fresh(f"{name}_scale"), network.fresh(f"{name}_zero_point")]
    network.set(numbers[0], np.array(scale.scale))
    network.set(numbers[1], np.array(scale.zero_point))
    middle = network.fresh(name + QUANTIZED)
    return [
        helper.make_node("QuantizeLinear", [value, *numbers], [middle], name=middle),
        helper.make_node(
            "DequantizeLinear", [middle, *numbers], [result], name=network.fresh(f"{middle}_back")
        ),
    ]


def _keep_value_info(graph: Any) -> None:
    """Keep what is said of values that are still there."""
    known = Counter(name for node in graph.node for name in node.output)
    kept = [one for one in graph.value_info if one.name in known]
    copies = [type(one).FromString(one.SerializeToString()) for one in kept]
    del graph.value_info[:]
    graph.value_info.extend(copies)
