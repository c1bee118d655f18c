"""The layers of an ONNX file, by the names its weights had when it was exported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from zooselect.errors import IntegrityError, LocalFileError, UsageError
from zooselect.onnx_graph import inner_graphs
from zooselect.plan.layers import HEAD, STEM, Layer

#: The operators that are layers, and the names of ONNX's own domain.
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
DOMAINS = ("", "ai.onnx")
_HINT = "export it again, or give its layers with --layers"
#: The fixed projection behind a YOLOv8's last layers; nothing in it was learnt.
_NO_LAYER = ".dfl."
_PASSED_THROUGH = ("Transpose", "Identity", "DequantizeLinear", "Cast")


def graph_layers(graph: Any) -> tuple[list[Layer], dict[str, str]]:
    """Return the weights a graph's layers multiply by, in its order, and the roles of some.

    The stem is a convolution that no other layer stands before; the last layers are
    those that no other stands behind, of which a detector has several.
    """
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    shapes |= {
        node.output[0]: tuple(attribute.t.dims)
        for node in graph.node
        for attribute in node.attribute
        if node.op_type == "Constant" and attribute.name == "value"
    }
    source = {output: node for node in graph.node for output in node.output}
    weights: dict[str, Layer] = {}
    roles: dict[str, str] = {}
    behind: dict[str, set[str]] = {}  # value name -> the layers it depends on
    ends: set[str] = set()
    for node in graph.node:
        upstream = set().union(*(behind.get(name, set()) for name in _inputs(node)))
        weighted = node.op_type in WEIGHTED and node.domain in DOMAINS
        name = _weight_of(node, shapes, source) if weighted else None
        here = upstream
        if name is not None and _NO_LAYER not in name:
            weights.setdefault(name, Layer(name, shapes[name]))
            if node.op_type == "Conv" and not upstream:
                roles[name] = STEM
            ends = (ends - upstream) | {name}
            here = {name}
        for output in node.output:
            behind[output] = here
    roles |= dict.fromkeys(ends, HEAD)
    return list(weights.values()), roles


def _inputs(node: Any) -> Iterator[str]:
    """Yield the values a node computes from, also those its inner graphs take from outside."""
    yield from node.input
    for graph in inner_graphs(node):
        for one in graph.node:
            yield from _inputs(one)


def load(path: str) -> Any:
    """Return the network in an ONNX file, without what it keeps in others.

    Raises:
        UsageError: the `onnx` package is missing.
        LocalFileError: the file cannot be read.
        IntegrityError: it is no ONNX model.
    """
    try:
        import onnx
    except ImportError as error:
        raise UsageError(
            "reading an ONNX file needs the onnx package", hint="pip install 'zooselect[onnx]'"
        ) from error
    try:
        model = onnx.load(os.fspath(path), load_external_data=False)
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}", hint="give the path of an ONNX file"
        ) from error
    except Exception as error:  # protobuf's own errors; which ones depends on its version
        raise IntegrityError(f"{path} is not an ONNX model", hint=_HINT) from error
    if not model.graph.node:
        raise IntegrityError(f"{path} is not an ONNX model, or one without a graph", hint=_HINT)
    return model


def _weight_of(node: Any, shapes: dict[str, tuple[int, ...]], source: dict[str, Any]) -> str | None:
    """Name of the initializer that is a node's weight, also behind a transposition."""
    for name in node.input[1:2] or ():
        current = name
        while current in source and source[current].op_type in _PASSED_THROUGH:
            current = source[current].input[0]
        if current in shapes:
            return str(current)
    return None
