"""The embedded catalog: a reconstruction from public records, one file a task.

Compiled from `catalog-source/` by `make catalog`; never edited by hand.
"""

from __future__ import annotations

import json
from functools import cache, partial

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.data import read_data
from zooselect.catalog.parse import parse_models
from zooselect.catalog.provenance import Provenance
from zooselect.record import ModelRecord


@cache
def embedded_catalog() -> Catalog:
    """Return the one catalog that ships inside the package."""
    index = json.loads(read_data("catalog/index.json"))
    return Catalog(
        {
            (shard["domain"], shard["sub_domain"]): partial(_load, shard["file"])
            for shard in index["shards"]
        },
        Provenance(
            source="snapshot",
            location="zooselect/data/catalog",
            digest=index["digest"],
            compiled=index["compiled"],
        ),
    )


def _load(name: str) -> tuple[ModelRecord, ...]:
    # Records repeat few names many times over; the parser is the one all catalogs use,
    # and a test says that it has nothing to complain of here.
    return parse_models(json.loads(read_data(f"catalog/{name}"))).records
