"""Catalogs of any size in the shape of the real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from zooselect import Catalog


def grown(count: int) -> list[dict[str, Any]]:
    """Return so many records: the embedded ones, over and over under new names."""
    models: list[dict[str, Any]] = [record.to_dict() for record in Catalog.embedded()]
    grown_models = []
    for index in range(count):
        model = dict(models[index % len(models)])
        copy = index // len(models)
        if copy:
            # Copies keep network, data set and figures, so that every task and every size
            # class grows in proportion.
            tag = f"{model['sparse_tag'].replace('-', '.')}.copy{copy}"
            head = model["stub"].removesuffix(model["sparse_tag"])
            model |= {"stub": head + tag, "sparse_tag": tag}
        grown_models.append(model)
    return grown_models


def write(path: Path, count: int) -> None:
    """Write a catalog file of so many records."""
    document = {"schema": 1, "compiled": "2026-01-01", "models": grown(count)}
    path.write_text(json.dumps(document), "utf-8")
