"""Dense (unpruned) parameter counts: what model sizes are compared by.

A pruned or quantized model keeps its dense architecture, so the dense count
ranks models by family size where file sizes are rarely on record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from zooselect.catalog.data import read_data
from zooselect.record import BASE, ModelRecord

Network = tuple[str, str | None]

#: Bytes of one float32 parameter, for estimates from a base model's file.
_BYTES_PER_PARAMETER = 4


class DenseSize(NamedTuple):
    """Dense parameter count of a network.

    Attributes:
        millions: the count, in millions.
        basis: how the figure came about. From the table of architecture sizes:
            `published` (stands in a named source), `computed` (counted from layer
            definitions) or `inferred` (the network's identity is itself inferred);
            else `record` (the model's own figure) or `estimate` (bytes of a base
            model's file, 4 to a parameter).
    """

    millions: float
    basis: str


SizeTable = Mapping[Network, DenseSize]


@cache
def architecture_sizes() -> SizeTable:
    """The embedded table: (architecture, sub_architecture) to dense size.

    Networks whose size nobody states are absent. The figures' sources stand in the
    source file the table is compiled from.
    """
    rows = json.loads(read_data("architectures.json"))["architectures"]
    return {
        (architecture, sub): DenseSize(millions, basis)
        for architecture, sub, millions, basis in rows
    }


def dense_sizes(
    records: Iterable[ModelRecord], table: SizeTable, peers: Iterable[ModelRecord]
) -> dict[str, DenseSize]:
    """Return the dense size of each record that has one, by stub.

    The table comes first, then the record's own `parameters_millions`, then an
    estimate from a base model of the same network among `peers`.
    """
    sizes: dict[str, DenseSize] = {}
    unsized: list[ModelRecord] = []
    for record in records:
        size = table.get((record.architecture, record.sub_architecture))
        if size is not None:
            sizes[record.stub] = size
        elif record.parameters_millions is not None:
            sizes[record.stub] = DenseSize(record.parameters_millions, "record")
        else:
            unsized.append(record)
    if unsized:
        estimates = _estimates(peers)
        for record in unsized:
            millions = estimates.get((record.architecture, record.sub_architecture))
            if millions is not None:
                sizes[record.stub] = DenseSize(millions, "estimate")
    return sizes


def _estimates(peers: Iterable[ModelRecord]) -> dict[Network, float]:
    """Estimated size of each network that has a base model with a file size."""
    best: dict[Network, tuple[bool, str, float]] = {}
    for record in peers:
        size = record.onnx_size_bytes or record.compressed_size_bytes
        if record.optimization != BASE or size is None:
            continue
        network = (record.architecture, record.sub_architecture)
        # An uncompressed file says more than a compressed one; ties by stub, so that
        # the order of records never matters.
        found = (
            record.onnx_size_bytes is None,
            record.stub,
            size / _BYTES_PER_PARAMETER / 1e6,
        )
        if network not in best or found < best[network]:
            best[network] = found
    return {network: millions for network, (_, _, millions) in best.items()}
