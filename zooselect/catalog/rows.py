"""From rows of the SparseZoo API to `schema: 1` items.

What a server leaves out and a stub states is taken from the stub. A row whose name cannot
be trusted is refused: better a model less than a wrong stub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from zooselect.catalog.asked import Asked
from zooselect.catalog.parse import optimization_of, stated_sparsity
from zooselect.errors import StubError
from zooselect.record import downstream_dataset
from zooselect.stub import PREFIX, Stub
from zooselect.task import Task, task_of

_RECIPE = re.compile(r"recipe_([A-Za-z0-9_.-]+)\.(?:md|yaml)")
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?")
#: Parts of a v1 stub in rows; a row may say null for the two that a stub may lack.
_PARTS = ("domain", "task", "architecture", "framework", "repo", "sourceDataset", "sparseTag")
_MAY_LACK = ("subArchitecture", "trainingScheme")
_COMPRESSED = "compressed_size_bytes"
_FIELDS = {
    "domain": "domain",
    "task": "sub_domain",
    "architecture": "architecture",
    "subArchitecture": "sub_architecture",
    "framework": "framework",
    "repo": "repo",
    "sourceDataset": "source_dataset",
    "trainingScheme": "training_scheme",
    "sparseTag": "sparse_tag",
    "modelId": "model_id",
    "modelOnnxSizeCompressedBytes": _COMPRESSED,
}
#: Metrics as the old service's units named them, letters and digits alone, lower case, by
#: the metric of the task they are taken for (sparsezoo 1.8.1, deployment_package/extractors).
_SYNONYMS = {
    "top1_accuracy": {"accuracy", "top1"},
    "mAP@0.5": {"map", "map50"},
    "average_F1": {"f1"},
}


def item_of(row: Any, asked: Asked) -> dict[str, Any]:
    """Return the item of a row.

    Raises:
        ValueError: no model that was asked for; the message says why.
    """
    if not isinstance(row, Mapping):
        raise ValueError("not an object")
    try:
        ascii(row)
    except RecursionError:
        raise ValueError("nested too deep") from None
    v1, v2 = _names(row)
    trusted = v1 is None and (v2 is None or _agrees(row, v2))
    main = v1 or v2
    if main is None:
        raise ValueError(f"no usable stub: {_shown(row.get('stub'))}")
    if asked.name is not None and asked.name not in (v2 and v2.path, _bare(row.get("repoName"))):
        raise ValueError("not the name that was asked for")
    item: dict[str, Any] = {"stub": main.canonical}
    if v2 is not None:
        item["stub_v2"] = v2.canonical
    # A v1 stub states all its parts, and what a stub states is what a user will ask for.
    stated = _FIELDS if trusted else ("modelId", "modelOnnxSizeCompressedBytes")
    item |= {_FIELDS[key]: row[key] for key in stated if row.get(key) is not None}
    if _COMPRESSED in item:
        item[_COMPRESSED] = _number(item[_COMPRESSED])
    if v1 is None and asked.name is None:
        item = {"domain": asked.domain, "sub_domain": asked.sub_domain, **item}
    domain = v1.domain if v1 else item.get("domain")
    sub_domain = v1.sub_domain if v1 else item.get("sub_domain")
    if asked.domain is not None and (domain, sub_domain) != (asked.domain, asked.sub_domain):
        raise ValueError(f"of another task, {_shown(domain)}/{_shown(sub_domain)}")
    sparsity = stated_sparsity(str(item.get("sparse_tag") or main.sparse_tag))
    if sparsity is not None:
        item["sparsity_percent"] = sparsity
    item |= _results(row.get("trainingResults"), _task(domain, sub_domain))
    item |= _throughput(row.get("benchmarkResults"))
    item |= _sizes(row.get("files"), item)
    return item


def _names(row: Mapping[str, Any]) -> tuple[Stub | None, Stub | None]:
    """The v1 and the v2 name of a row; a v1 name is made up of its parts where they are whole."""
    stub, name = _stub(row.get("stub")), _stub(row.get("repoName"))
    v2 = next((one for one in (name, stub) if one is not None and one.version == 2), None)
    if stub is not None and stub.version == 1:
        # A name of another model is none of this one, whatever the server says.
        said = {"architecture": stub.architecture, "subArchitecture": stub.sub_architecture,
                "sourceDataset": stub.source_dataset, "sparseTag": stub.sparse_tag}  # fmt: skip
        return stub, v2 if v2 is not None and _agrees(said, v2) else None
    return _composed(row, v2) if v2 is None or _agrees(row, v2) else None, v2


def _agrees(row: Mapping[str, Any], v2: Stub) -> bool:
    """Whether what a row states besides its name fits the name, as on all pairs on record."""
    architecture, data, tag = (
        row.get(key) for key in ("architecture", "sourceDataset", "sparseTag")
    )
    if isinstance(architecture, str) and architecture != v2.architecture:
        return False
    sub = row.get("subArchitecture", v2.sub_architecture)
    # What has none is `none` in some v1 stubs.
    if (sub is None or isinstance(sub, str)) and (sub or "none") != (v2.sub_architecture or "none"):
        return False
    if isinstance(data, str) and downstream_dataset(data) != downstream_dataset(v2.source_dataset):
        return False
    if not isinstance(tag, str):
        return True
    stated = {stated_sparsity(tag), stated_sparsity(v2.sparse_tag)} - {None}
    return len(stated) < 2 and optimization_of(tag) == optimization_of(v2.sparse_tag)


def _composed(row: Mapping[str, Any], v2: Stub | None) -> Stub | None:
    # A server that was not asked, or does not say, whether there is a training scheme leaves
    # open which of two models a row is.
    if any(key not in row for key in _MAY_LACK):
        return None
    # A v1 stub has no place for a second data set.
    if v2 is not None and v2.training_dataset not in (None, row["trainingScheme"]):
        return None
    values = {key: row.get(key) for key in (*_PARTS, *_MAY_LACK)}
    if not all(isinstance(values[key], str) and values[key] for key in _PARTS):
        return None
    if not all(values[key] is None or isinstance(values[key], str) for key in _MAY_LACK):
        return None

    def joined(first: str, second: str) -> str:
        return f"{values[first]}-{values[second]}" if values[second] else str(values[first])

    stub = _stub(
        "/".join(
            (
                str(values["domain"]), str(values["task"]),
                joined("architecture", "subArchitecture"), str(values["framework"]),
                str(values["repo"]), joined("sourceDataset", "trainingScheme"),
                str(values["sparseTag"]),
            )
        )
    )  # fmt: skip
    return stub if stub is not None and stub.version == 1 else None


def _stub(value: Any) -> Stub | None:
    try:
        stub = Stub.parse(PREFIX + _bare(value)) if isinstance(value, str) else None
    except StubError:
        return None
    return None if stub is None or stub.parameters else stub


def _bare(value: Any) -> str:
    return value.removeprefix(PREFIX) if isinstance(value, str) else ""


def _task(domain: Any, sub_domain: Any) -> Task | None:
    texts = isinstance(domain, str) and isinstance(sub_domain, str)
    return task_of(domain, sub_domain) if texts else None


def _results(rows: Any, task: Task | None) -> dict[str, Any]:
    if rows is None:
        return {}
    if not isinstance(rows, list):
        return {"results": rows}  # the parser names it as unreadable
    metric = task.metric if task else None
    return {
        "results": [
            {
                "metric": _metric(row.get("recordedUnits"), metric),
                "value": _number(row.get("recordedValue")),
                "dataset": row.get("datasetName"),
            }
            if isinstance(row, Mapping)
            else row
            for row in rows
        ]
    }


def _metric(units: Any, wanted: str | None) -> Any:
    """The catalog's word for the units of a result; letter case, spaces, - and _ are alike."""
    if not isinstance(units, str) or wanted is None:
        return units
    plain = _plain(units)
    return wanted if plain == _plain(wanted) or plain in _SYNONYMS.get(wanted, ()) else units


def _plain(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum() or char == "@")


def _throughput(rows: Any) -> dict[str, Any]:
    if not isinstance(rows, list):
        return {}
    names = {
        "recordedValue": "value",
        "recordedUnits": "units",
        "deviceInfo": "device",
        "numCores": "cores",
        "batchSize": "batch_size",
    }
    return {
        "throughput": [
            {to: row[key] for key, to in names.items() if row.get(key) is not None}
            for row in rows
            if isinstance(row, Mapping)
        ]
    }


def _sizes(files: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    """What a list of files says: the sizes of the network, and which recipes there are."""
    sizes: dict[str, Any] = {}
    recipes = []
    for file in files if isinstance(files, list) else ():
        name = file.get("displayName") if isinstance(file, Mapping) else None
        if not isinstance(name, str):
            continue
        size = _number(file.get("fileSize"))
        if name == "model.onnx" and size is not None:
            sizes["onnx_size_bytes"] = size
        elif name == "model.onnx.tar.gz" and _COMPRESSED not in item:
            sizes[_COMPRESSED] = size
        elif recipe := _RECIPE.fullmatch(name):
            recipes.append(recipe[1])
    return {**sizes, **({"recipe_types": sorted(set(recipes))} if recipes else {})}


def _number(value: Any) -> Any:
    """A number that a server states as a text, which old clients took, too."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = float(value)
        return int(number) if number.is_integer() else number
    return value


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
