"""Rows of the old protocol: a model's facts in the words and types old clients need.

Those clients crash on a missing list and on one incomplete row, so lists are always there
and incomplete rows are left out. Sources: the clients themselves, sparsezoo 1.1 to 1.8.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from zooselect.mirror.store import MirrorModel
from zooselect.serve.names import NAMESPACE, canonical, flat_names, listable, url_path
from zooselect.serve.zoo import Zoo

#: Base URL in, absolute URL of a path out.
UrlOf = Callable[[str], str]

_VERSION_2 = 2
_MAX_INT = 2**31 - 1  # of GraphQL
#: Types on the wire of files that old clients look for by name, but whose own type they drop.
_TYPES = {"analysis": "benchmarking", "eval": "benchmarking"}
#: The old service's words for metrics, where they differ from the catalog's.
_UNITS = {"top1_accuracy": "top1 accuracy", "top5_accuracy": "top5 accuracy"}


def model_row(zoo: Zoo, model: MirrorModel, url_of: UrlOf) -> dict[str, Any]:
    """Return a model as GraphQL's default resolvers read it: values, and lists on demand."""
    record = model.record
    name = zoo.repo_name[record.stub]
    return {
        "modelId": model.model_id,
        "stub": canonical(name),
        "domain": record.domain,
        "domainDisplayName": record.domain,
        "task": record.sub_domain,
        "taskDisplayName": record.sub_domain,
        "architecture": record.architecture,
        "subArchitecture": record.sub_architecture,
        "framework": record.framework,
        "repo": record.repo,
        "repoDisplayName": record.repo,
        "sourceDataset": record.source_dataset,
        "trainingDataset": record.source_dataset,
        "trainingScheme": record.training_scheme,
        "sparseTag": record.sparse_tag,
        "repoName": name,
        "repoNamespace": NAMESPACE,
        "displayName": name,
        "displayDescription": record.stub,
        "isPubliclyVisible": True,
        "modelOnnxSizeCompressedBytes": record.compressed_size_bytes,
        "modelCardDownloadUrl": url_of(url_path(model, "model.md"))
        if any(file.name == "model.md" for file in model.files)
        else None,
        "tags": [],
        "similarModelsRepoNames": [],
        "files": lambda info, version=None, **wanted: filtered(
            file_rows(model, url_of, version_2=version == _VERSION_2), wanted
        ),
        "benchmarkResults": lambda info, **wanted: filtered(benchmark_rows(model), wanted),
        "trainingResults": lambda info, **wanted: filtered(training_rows(model), wanted),
    }


def file_rows(model: MirrorModel, url_of: UrlOf, *, version_2: bool) -> list[dict[str, Any]]:
    """Return a model's files, under their v2 names or the flat ones of clients before 1.6."""
    flat = flat_names(model.files)
    return [
        {
            "displayName": file.name if version_2 else flat[file.name],
            "downloadUrl": url_of(url_path(model, file.name)),
            "fileSize": file.size,
            "fileType": _TYPES.get(file.type, file.type),
            "modelId": model.model_id,
            "fileId": f"{model.model_id}/{file.name}",
            "md5": file.md5,
            "version": _VERSION_2 if version_2 else 1,
            "checkpoint": False,
        }
        for file in listable(model.files)
        if version_2 or file.name in flat
    ]


def benchmark_rows(model: MirrorModel) -> list[dict[str, Any]]:
    """Return the throughput figures that state everything old clients require."""
    rows: list[dict[str, Any]] = []
    for one in _objects(model, "throughput"):
        row = {
            "batchSize": one.get("batch_size"),
            "deviceInfo": one.get("device"),
            "numCores": one.get("cores"),
            "recordedUnits": one.get("units"),
            "recordedValue": one.get("value"),
            "runtime": _text(one.get("engine")),
            "scenario": _text(one.get("scenario")),
            "numStreams": None,
        }
        counts = (row["batchSize"], row["numCores"])
        texts = (row["deviceInfo"], row["recordedUnits"])
        if (
            all(type(count) is int and 0 <= count <= _MAX_INT for count in counts)
            and all(isinstance(text, str) for text in texts)
            and _is_number(row["recordedValue"])
        ):
            rows.append({**row, "benchmarkResultId": f"{model.model_id}-{len(rows)}"})
    return rows


def training_rows(model: MirrorModel) -> list[dict[str, Any]]:
    """Return the believed qualities that state everything old clients require."""
    return [
        {
            "datasetName": result.dataset,
            "datasetType": "downstream",
            "recordedUnits": _UNITS.get(result.metric, result.metric),
            "recordedValue": result.value,
            "recordedFormat": result.units,
            "primaryResult": None,
        }
        for result in model.record.results
        if result.suspect is None and result.dataset is not None
    ]


def filtered(rows: list[dict[str, Any]], wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Keep rows that equal every argument given; None is no argument."""
    given = {key: value for key, value in wanted.items() if value is not None}
    return [row for row in rows if all(row.get(key) == value for key, value in given.items())]


def rest_model(zoo: Zoo, model: MirrorModel, url_of: UrlOf) -> dict[str, Any]:
    """Return a model as clients 1.1 to 1.4 read it."""
    record = model.record
    name, _, rest = record.sparse_tag.partition("-")
    category, _, target = rest.partition("-")
    return {
        "model_id": model.model_id,
        "display_name": zoo.repo_name[record.stub],
        "display_description": record.stub,
        "domain": record.domain,
        "sub_domain": record.sub_domain,
        "architecture": record.architecture,
        "sub_architecture": record.sub_architecture,
        "framework": record.framework,
        "repo": record.repo,
        "dataset": record.source_dataset,
        "training_scheme": record.training_scheme,
        "sparse_name": name,
        "sparse_category": category or None,
        "sparse_target": target or None,
        "base_model": None,
        "user_id": None,
        "created": None,
        "modified": None,
        "release_version": None,
        "tags": [],
        "user": None,
        "recipes": [],
        "files": [
            {
                "file_id": row["fileId"],
                "model_id": model.model_id,
                "display_name": row["displayName"],
                "file_type": row["fileType"],
                "operator_version": None,
                "checkpoint": False,
                "md5": row["md5"],
                "file_size": row["fileSize"],
                "downloads": 0,
                "url": row["downloadUrl"],
            }
            for row in file_rows(model, url_of, version_2=False)
        ],
        "results": _rest_results(model),
    }


def _rest_results(model: MirrorModel) -> list[dict[str, Any]]:
    qualities = [
        {
            "recorded_value": row["recordedValue"],
            "recorded_units": row["recordedUnits"],
            "dataset_name": row["datasetName"],
            "dataset_type": row["datasetType"],
            "result_type": "training",
        }
        for row in training_rows(model)
    ]
    throughputs = [
        {
            "recorded_value": row["recordedValue"],
            "recorded_units": "items/second",
            "device_info": row["deviceInfo"],
            "num_cores": row["numCores"],
            "batch_size": row["batchSize"],
            "result_type": "benchmark",
        }
        for row in benchmark_rows(model)
    ]
    return [
        {
            "result_id": f"{model.model_id}-{number}",
            "model_id": model.model_id,
            "display_name": row["recorded_units"],
            "result_category": row["result_type"],
            "recorded_format": None,
            **row,
        }
        for number, row in enumerate([*qualities, *throughputs])
    ]


def _objects(model: MirrorModel, key: str) -> list[dict[str, Any]]:
    values = model.record.raw.get(key)
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_number(value: Any) -> bool:
    # JSON from outside may hold NaN, Infinity and numbers beyond any float.
    return type(value) in (int, float) and abs(value) <= sys.float_info.max
