"""Calibration: between what values the numbers in a network lie when it runs on samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from zooselect.apply.network import Network
from zooselect.apply.runtime import Session
from zooselect.errors import IntegrityError

if TYPE_CHECKING:
    from zooselect.apply.network import Array
    from zooselect.apply.samples import Samples

Ranges = dict[str, tuple[float, float]]


def calibrate(
    network: Network,
    names: Iterable[str],
    samples: Samples,
    each: Callable[[list[Array]], None],
) -> Ranges:
    """Return the least and greatest number each value takes over the samples, rounded outward.

    CPUs sum floats in orders of their own and differ in the last bits. Rounded to eight bits,
    a range is the same on all of them unless it stands on an edge, so the file made of it is.

    Args:
        network: the float network.
        names: the values to watch.
        samples: what it runs on.
        each: told the network's outputs for each sample.

    Raises:
        UsageError: the network does not run on a sample.
        IntegrityError: it computes NaN or infinite numbers.
    """
    from onnx import ModelProto, TensorProto, helper

    watched = list(names)
    model = ModelProto()
    model.CopyFrom(network.model)
    outputs = len(model.graph.output)
    for at, name in enumerate(watched):
        for kind in ("ReduceMin", "ReduceMax"):
            result = f"zooselect.{kind}.{at}"
            model.graph.node.append(helper.make_node(kind, [name], [result], keepdims=0))
            value = helper.make_tensor_value_info(result, TensorProto.FLOAT, [])
            model.graph.output.append(value)
    ranges = dict.fromkeys(watched, (0.0, 0.0))
    session = Session(_saved(network, model), lean=True)
    for sample, results in enumerate(samples.runs(session)):
        each(results[:outputs])
        for at, name in enumerate(watched):
            low, high = (float(one) for one in results[outputs + 2 * at :][:2])
            if not (abs(low) < float("inf") and abs(high) < float("inf")):
                raise IntegrityError(
                    f"{samples.name(sample)}: the network computes {low:g} to {high:g} at {name!a}",
                    hint="a sample is not what the model expects, or the model is broken",
                )
            known = ranges[name]
            ranges[name] = (min(known[0], low), max(known[1], high))
    return {name: (-outward(-low), outward(high)) for name, (low, high) in ranges.items()}


def outward(size: float) -> float:
    """The least number of eight bits that is not smaller: at most 1/128 above."""
    mantissa, exponent = math.frexp(size)
    return math.ldexp(math.ceil(mantissa * 256), exponent - 8)


def _saved(network: Network, model: Any) -> Any:
    path = network.folder / "calibration.onnx"
    path.write_bytes(model.SerializeToString())
    return path
