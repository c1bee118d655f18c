"""The input model of one-shot and training-aware: a stub of the catalog, or the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from zooselect.catalog.asked import Asked, Source
from zooselect.catalog.provenance import Provenance
from zooselect.errors import StubError, UsageError
from zooselect.plan.layers import Layers, parse_layers, sort_layers
from zooselect.record import BASE, ModelRecord
from zooselect.stub import Stub

#: Where a model folder keeps the network, as SparseZoo lays it out.
_IN_FOLDER = ("model.onnx", os.path.join("deployment", "model.onnx"))


class InputModel(NamedTuple):
    """What is to be pruned and quantized.

    Attributes:
        record: its record; None for a model of the user's own.
        layers: its layers; None where they are not known.
        provenance: of the catalog; None where none had to be asked.
    """

    record: ModelRecord | None
    layers: Layers | None
    provenance: Provenance | None = None


def input_model(
    source: Source,
    model: str | os.PathLike[str] | None,
    *,
    force: bool = False,
    layers: Iterable[str] | Mapping[str, Sequence[int]] | None = None,
) -> InputModel:
    """Read the input model a user names; what exists as a path is never taken for a stub.

    Raises:
        UsageError: neither a path nor a stub, or a model already pruned or quantized.
        NotFoundError: the catalog does not have the stub.
        LocalFileError, IntegrityError: the ONNX file cannot be used.
        OfflineError, NetworkError: a server is to be asked, and nothing answers.
    """
    listed = None if layers is None else parse_layers(_lines(layers))
    if model is None:
        return InputModel(None, listed, source.at_hand)
    text = os.fspath(model)
    if os.path.exists(text):
        onnx = _onnx_file(text)
        if listed is None and onnx is not None:
            from zooselect.plan.already import refuse_optimized
            from zooselect.plan.onnx_layers import graph_layers, load

            graph = load(onnx).graph
            if not force:
                refuse_optimized(graph, os.path.dirname(onnx))
            listed = sort_layers(*graph_layers(graph))
        return InputModel(None, listed, source.at_hand)
    record, provenance = _record(source, text, force)
    return InputModel(record, listed, provenance)


def _lines(layers: Iterable[str] | Mapping[str, Sequence[int]]) -> Iterable[str]:
    if isinstance(layers, (str, os.PathLike)):
        raise UsageError(
            f"layers {str(layers)!r} is one text, not the lines of a list",
            hint="give the lines, or a mapping of parameter names to shapes",
        )
    if isinstance(layers, Mapping):
        return [" ".join(map(str, (name, *shape))) for name, shape in layers.items()]
    return layers


def onnx_in_folder(path: str) -> str | None:
    """Return the network in a model folder; None where there is none."""
    inside = (os.path.join(path, name) for name in _IN_FOLDER)
    return next((one for one in inside if os.path.exists(one)), None)


def _onnx_file(path: str) -> str | None:
    if os.path.isdir(path):
        return onnx_in_folder(path)
    return path if path.lower().endswith(".onnx") else None


def _record(source: Source, text: str, force: bool) -> tuple[ModelRecord, Provenance]:
    try:
        stub = Stub.parse(text)
    except StubError as error:
        raise UsageError(
            f"input model {text!r} is neither a file, a folder nor a stub", hint=error.hint
        ) from error
    catalog = source.of(Asked.of_stub(stub))
    record = catalog.find(stub)
    if record.optimization != BASE and not force:
        raise UsageError(
            f"{record.stub} is {record.optimization} already; these modes start from a base model",
            hint="--force takes it all the same",
        )
    return record, catalog.provenance
