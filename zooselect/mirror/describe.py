"""A model's record in a mirror: from the embedded catalog, from its names, from its files."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.parse import optimization_of, parse_record, stated_sparsity
from zooselect.errors import IntegrityError, LocalFileError, NotFoundError, UsageError
from zooselect.mirror.roles import MODEL, MODEL_ARCHIVE, ONNX_TYPE
from zooselect.mirror.store import MODELS, MirrorFile, is_id
from zooselect.names import safe_name
from zooselect.record import ModelRecord, downstream_dataset
from zooselect.stub import PREFIX, Stub
from zooselect.task import TASKS

#: Ids of models that never had one, or had one nobody remembers, are made from their stubs.
_IDS = uuid.UUID("6f1d3c5e-0b52-5c7e-9a35-3d0c4b7f2a18")
_GIVEN = ("results", "throughput", "parameters_millions")


class Names(NamedTuple):
    """What a model is called: at least one of its names.

    Attributes:
        v1, v2: its stubs in the two grammars.
    """

    v1: Stub | None
    v2: Stub | None

    @property
    def main(self) -> Stub:
        """The v1 stub where there is one: it says more."""
        found = self.v1 or self.v2
        assert found is not None
        return found

    @property
    def all(self) -> tuple[str, ...]:
        """Both names, as a catalog has them."""
        return tuple(stub.canonical for stub in (self.v1, self.v2) if stub is not None)


def parse_names(text: str, alias: str | None = None) -> Names:
    """Return the names of a model: those given, and the one the embedded catalog adds.

    Raises:
        UsageError: no stub, a stub with parameters, one that is no safe path, or two
            names of the same grammar.
    """
    given = [_plain_stub(one) for one in (text, alias) if one is not None]
    by_version = {stub.version: stub for stub in given}
    if len(by_version) < len(given):
        raise UsageError(
            f"{given[0].canonical} and {given[1].canonical} are names of the same kind",
            hint="--alias is the model's name in the other grammar, v1 or v2",
        )
    for record in (_known(stub) for stub in given):
        for name in () if record is None else (record.stub, *record.aliases):
            stub = Stub.parse(name)
            by_version.setdefault(stub.version, stub)
    return Names(by_version.get(1), by_version.get(2))


def model_path(stub: Stub) -> str:
    """Return a model's folder in a mirror, beside which its record stands."""
    return f"{MODELS}/{stub.path}"


def describe(names: Names, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a model, without its files.

    What the embedded catalog has under either name, what the names state, and over all
    that what was given (see `read_results`).
    """
    record: dict[str, Any] = {}
    for stub in (names.v2, names.v1):
        known = _known(stub) if stub is not None else None
        if known is not None:
            record |= known.raw
    linked = record.get("probable_alias")
    if isinstance(linked, Mapping) and linked.get("stub") not in names.all:
        del record["probable_alias"]
    if names.v1 is not None:
        record |= _stated(names.v1)
        record.pop("derived_fields", None)  # a v1 stub states them all
    elif names.v2 is not None:
        record = {**_stated(names.v2), **_derived(names.v2), **record}
    tag = str(record["sparse_tag"])
    record.setdefault("optimization", optimization_of(tag))
    sparsity = stated_sparsity(tag)
    if sparsity is not None:
        record.setdefault("sparsity_percent", sparsity)
    record["task"] = record.get("sub_domain")
    record["model_id"] = _model_id(record.get("model_id"), names.main)
    called = {
        "stub": names.main.canonical,
        "stub_v1": names.v1 and names.v1.canonical,
        "stub_v2": names.v2 and names.v2.canonical,
    }
    whole = {**called, **record, **called, **given}
    return {key: value for key, value in whole.items() if value is not None}


def with_files(
    record: Mapping[str, Any], folder: str, files: tuple[MirrorFile, ...]
) -> dict[str, Any]:
    """Return a record completed by a model's files and what their sizes say."""
    whole = {**record, "folder": folder, "files": [file.to_dict() for file in files]}
    # External weights count: the size stands for that of the network.
    plain = [file.size for file in files if file.type == ONNX_TYPE and "/" not in file.name]
    packed = [file.size for file in files if file.name == MODEL_ARCHIVE]
    if any(file.name == MODEL for file in files):
        whole["onnx_size_bytes"] = sum(plain)
    if packed:
        whole["compressed_size_bytes"] = packed[0]
        whole.pop("size_notes", None)  # they tell how rough the figure was
    return whole


def read_results(path: Path) -> dict[str, Any]:
    """Read a file of measurements: an object with schema-1 `results` and `throughput` lists.

    `parameters_millions` is taken too; other keys are not.

    Raises:
        LocalFileError: the file cannot be read.
        IntegrityError: not such an object, or an entry that cannot be used.
    """
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse)
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}", hint="--results takes a JSON file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{path} is not JSON: {error}", hint=_RESULTS) from error
    if not isinstance(document, dict) or not any(key in document for key in _GIVEN):
        raise IntegrityError(f"{path} has no results", hint=_RESULTS)
    given = {key: document[key] for key in _GIVEN if document.get(key) is not None}
    problems: list[str] = []
    parse_record({"stub": "zoo:a-b-c", **given}, problems)
    for key in ("results", "throughput"):
        items = given.get(key, [])
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            problems.append(f"`{key}` is not a list of objects")
    if problems:
        raise IntegrityError(f"{path}: {problems[0]}", hint=_RESULTS)
    return given


_RESULTS = '{"results": [{"metric": "top1_accuracy", "value": 76.1, "units": "%"}], …}'


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def stub_of_id(model_id: str) -> str | None:
    """Return the stub of a model id the embedded catalog knows."""
    for record in Catalog.embedded():
        if _text_id(record.raw.get("model_id")) == model_id:
            return record.stub
    return None


def _plain_stub(text: str) -> Stub:
    stub = Stub.parse(text)
    if stub.parameters:
        raise UsageError(f"{text}: a model's stub has no parameters", hint=stub.canonical)
    try:
        safe_name(stub.path)
    except ValueError as error:
        raise UsageError(
            f"{stub.canonical} cannot be a folder: {error}",
            hint="a mirror keeps each model in a folder of its name",
        ) from error
    return Stub.parse(PREFIX + stub.path)


def _known(stub: Stub) -> ModelRecord | None:
    try:
        return Catalog.embedded().find(stub)
    except NotFoundError:
        return None


def _stated(stub: Stub) -> dict[str, Any]:
    """What a stub itself says of its model."""
    return {
        "domain": stub.domain,
        "sub_domain": stub.sub_domain,
        "architecture": stub.architecture,
        "sub_architecture": stub.sub_architecture,
        "framework": stub.framework,
        "repo": stub.repo,
        "source_dataset": stub.source_dataset,
        "training_scheme": stub.training_scheme,
        "sparse_tag": stub.sparse_tag,
    }


def _derived(stub: Stub) -> dict[str, Any]:
    """Where a v2 name's task stands: where all known models of its network and data set do.

    For a network nobody knows: the one task whose default data set it is, or where all
    known models of the data set stand.
    """
    data = downstream_dataset(stub.source_dataset)
    same_data = [one for one in Catalog.embedded() if one.dataset == data]
    for places in (
        {_place(one) for one in same_data if one.architecture == stub.architecture},
        {(task.domain, task.sub_domain) for task in TASKS if task.dataset == data},
        {_place(one) for one in same_data},
    ):
        if len(places) == 1:
            domain, sub_domain = places.pop()
            derived = ["domain", "sub_domain"]
            return {"domain": domain, "sub_domain": sub_domain, "derived_fields": derived}
    return {}


def _place(record: ModelRecord) -> tuple[str | None, str | None]:
    return record.domain, record.sub_domain


def _model_id(value: Any, stub: Stub) -> str:
    return _text_id(value) or str(uuid.uuid5(_IDS, stub.canonical))


def _text_id(value: Any) -> str | None:
    text = value.get("value") if isinstance(value, Mapping) else value
    return text if isinstance(text, str) and is_id(text) else None
