"""From `schema: 1` JSON to records.

One bad field never loses a model, one bad model never loses the catalog. What is dropped
is named, so that an answer can say on what it does not rest.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from zooselect.errors import IntegrityError, StubError
from zooselect.record import (
    BASE,
    CONFIDENCES,
    OPTIMIZATIONS,
    OTHER,
    PRUNED,
    PRUNED_QUANTIZED,
    QUANTIZED,
    ModelRecord,
    Result,
    downstream_dataset,
)  # fmt: skip
from zooselect.stub import Stub, is_part

SCHEMA = 1

#: As on all tags on record; `4block` behind `pruned_` is no percentage.
_SPARSITY = re.compile(r"pruned[-_]?(100|\d\d)(?!\d)")

#: Far more than all zoos had: what is beyond takes a machine's memory, and is no catalog. A few
#: bytes of a compressed answer can come to millions of objects.
MOST_MODELS = 500_000
_MOST_OBJECTS = 10 * MOST_MODELS
_MOST_PROBLEMS = 20  # of one record that are named

_DROP: Any = object()
_NAME_SHOWN = 200
_SHOWN = 60  # characters of a bad value that a message shows


class Parsed(NamedTuple):
    """Records read from a catalog, and what could not be read.

    Attributes:
        records: the usable records, one a stub.
        skipped: unusable ones, as (stub or position, reason).
        repaired: dropped fields, as (stub, reason).
    """

    records: tuple[ModelRecord, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    repaired: tuple[tuple[str, str], ...] = ()


def load_json(content: bytes, location: str) -> Any:
    """Decode JSON text; a number that is none, such as NaN, is null.

    Raises:
        IntegrityError: not JSON, or of too many objects; the message names the place.
    """
    if content.count(b"{") + content.count(b"[") > _MOST_OBJECTS:
        raise IntegrityError(
            f"catalog {location} has more than {_MOST_OBJECTS:,} objects", hint=_HINT
        )
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_constant=lambda name: None, parse_float=_number, parse_int=_integer,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        reason = " ".join(str(error).split()) or type(error).__name__
        raise IntegrityError(f"catalog {location} is not JSON: {reason}", hint=_HINT) from error


def _number(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _integer(text: str) -> int | None:
    # Python refuses to read thousands of digits; of a catalog nothing has a tenth of that.
    return int(text) if len(text) < 400 else None


_HINT = 'a catalog is a JSON object {"schema": 1, "compiled": "…", "models": […]}'


def parse_document(document: Any, location: str) -> tuple[Parsed, str | None]:
    """Return a catalog document's records and the date it was compiled.

    Raises:
        IntegrityError: not a schema-1 catalog, or models but not one usable.
    """
    if not isinstance(document, Mapping):
        raise IntegrityError(f"catalog {location} is not a JSON object", hint=_HINT)
    schema = document.get("schema")
    if schema != SCHEMA or isinstance(schema, bool):
        raise IntegrityError(
            f"catalog {location} has schema {schema!r}; this version reads schema {SCHEMA}",
            hint=_HINT,
        )
    models = document.get("models")
    if not isinstance(models, list):
        raise IntegrityError(f"catalog {location} has no list `models`", hint=_HINT)
    if len(models) > MOST_MODELS:
        raise IntegrityError(f"catalog {location} has more than {MOST_MODELS:,} models", hint=_HINT)
    parsed = parse_models(models)
    if models and not parsed.records:
        name, reason = parsed.skipped[0]
        raise IntegrityError(
            f"catalog {location} has {len(models)} records, none usable ({name}: {reason})",
            hint=_HINT,
        )
    compiled = document.get("compiled")
    return parsed, _text(compiled) or None if isinstance(compiled, str) else None


def parse_models(items: Iterable[Any]) -> Parsed:
    """Return the records of a list of JSON objects.

    Of several records under one stub the one whose JSON sorts first stays, whatever
    order they come in.
    """
    chosen: dict[str, ModelRecord] = {}
    skipped: list[tuple[str, str]] = []
    repaired: list[tuple[str, str]] = []
    for position, item in enumerate(items):
        problems: list[str] = []
        try:
            record = parse_record(item, problems)
        except (ValueError, RecursionError) as error:
            named = item.get("stub") if isinstance(item, Mapping) else None
            name = _text(named)[:_NAME_SHOWN] or f"record {position + 1}"
            skipped.append((name, str(error)))
            continue
        if len(problems) > _MOST_PROBLEMS:
            problems[_MOST_PROBLEMS:] = [f"and {len(problems) - _MOST_PROBLEMS:,} more"]
        repaired.extend((record.stub, problem) for problem in problems)
        other = chosen.get(record.stub)
        if other is not None:
            skipped.append((record.stub, "a second record under the same stub"))
            if _canonical(other) <= _canonical(record):
                continue
        chosen[record.stub] = record
    return Parsed(tuple(chosen.values()), tuple(skipped), tuple(repaired))


def parse_record(item: Any, problems: list[str]) -> ModelRecord:
    """Return the record of one JSON object; dropped fields are named in `problems`.

    What the object leaves out and its stub states is taken from the stub.

    Raises:
        ValueError: no object, or no valid stub.
    """
    if not isinstance(item, Mapping):
        raise ValueError("not a JSON object")
    stub = _record_stub(item.get("stub"))
    raw = dict(item)

    def take(key: str, check: Callable[[Any], Any]) -> Any:
        value = raw.get(key)
        if value is None:
            return None
        checked = check(value)
        if checked is _DROP:
            problems.append(f"field `{key}` is unreadable: {_shown(value)}")
            del raw[key]
            return None
        return checked

    sparse_tag = take("sparse_tag", _name) or stub.sparse_tag
    source_dataset = take("source_dataset", _name) or stub.source_dataset
    architecture = take("architecture", _name)
    sub_architecture = take("sub_architecture", _name)
    if architecture is None:
        architecture, sub_architecture = stub.architecture, stub.sub_architecture
    text = stub.canonical
    results = take("results", _list) or ()
    ambiguous = take("ambiguous_alias", _mapping) or {}
    return ModelRecord(
        stub=text,
        architecture=architecture,
        sub_architecture=sub_architecture,
        source_dataset=source_dataset,
        sparse_tag=sparse_tag,
        optimization=take("optimization", _one_of(OPTIMIZATIONS)) or optimization_of(sparse_tag),
        dataset=downstream_dataset(source_dataset),
        domain=take("domain", _name) or stub.domain,
        sub_domain=take("sub_domain", _name) or stub.sub_domain,
        framework=take("framework", _name) or stub.framework,
        repo=take("repo", _name) or stub.repo,
        training_scheme=take("training_scheme", _name) or stub.training_scheme,
        sparsity_percent=take("sparsity_percent", _percent),
        confidence=take("confidence", _one_of(CONFIDENCES)),
        results=_results(results, problems),
        parameters_millions=take("parameters_millions", _positive),
        onnx_size_bytes=take("onnx_size_bytes", _size),
        compressed_size_bytes=take("compressed_size_bytes", _size),
        recipe_types=_names(take("recipe_types", _list)),
        aliases=_aliases(raw, text),
        ambiguous_with=_stubs(ambiguous.get("candidates")),
        raw=raw,
    )


def optimization_of(sparse_tag: str) -> str:
    """Read the optimization off a sparse tag.

    `base…` is base, or quantized when the tag says so; `pruned…` is pruned, or
    pruned_quantized; a bare `quant…` is quantized; anything else, such as `arch-…` or
    a base with layers dropped (`3layer_base`), is other.
    """
    tag = sparse_tag.lower()
    quantized = "quant" in tag
    if "pruned" in tag:
        return PRUNED_QUANTIZED if quantized else PRUNED
    if tag.startswith("base"):
        return QUANTIZED if quantized else BASE
    return QUANTIZED if tag.startswith("quant") else OTHER


def stated_sparsity(sparse_tag: str) -> int | None:
    """Read the sparsity in percent off a sparse tag such as `pruned90_quant`; None without one."""
    found = _SPARSITY.search(sparse_tag)
    return None if found is None else int(found[1])


def _record_stub(value: Any) -> Stub:
    if not isinstance(value, str):
        raise ValueError("no stub")
    try:
        stub = Stub.parse(value)
    except StubError as error:
        raise ValueError(error.message) from error
    if stub.parameters:
        raise ValueError("a model's stub has no parameters")
    return stub


def _results(items: Iterable[Any], problems: list[str]) -> tuple[Result, ...]:
    results = []
    for item in items:
        metric, value = (
            (item.get("metric"), item.get("value")) if isinstance(item, Mapping) else (None, None)
        )
        number = _finite(value)
        if not isinstance(metric, str) or not _text(metric) or number is _DROP:
            problems.append(f"a result is unreadable: {_shown(item)}")
            continue
        suspect = item.get("suspect")
        results.append(
            Result(
                metric=_text(metric),
                value=number,
                units=_text(item.get("units")) or None,
                dataset=_text(item.get("dataset")) or None,
                suspect=(_text(suspect) or "marked suspect") if suspect else None,
                source=_text(item.get("source")) or None,
            )
        )
    return tuple(results)


def _aliases(raw: Mapping[str, Any], stub: str) -> tuple[str, ...]:
    linked = raw.get("probable_alias")
    names = [raw.get("stub_v1"), raw.get("stub_v2")]
    if isinstance(linked, Mapping):
        names.append(linked.get("stub"))
    return tuple(name for name in _stubs(names) if name != stub)


def _stubs(values: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values if isinstance(values, list) else ():
        try:
            found[Stub.parse(value).canonical] = None
        except StubError:
            continue
    return tuple(found)


def _names(values: Any) -> tuple[str, ...]:
    return tuple(value for value in values or () if _name(value) is not _DROP)


def _canonical(record: ModelRecord) -> str:
    return json.dumps(record.raw, sort_keys=True, default=str)


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _text(value: Any) -> str:
    """A text as one printable line; empty for anything that is no text."""
    if not isinstance(value, str):
        return ""
    return "".join(char if char.isprintable() else " " for char in value).strip()


def _name(value: Any) -> Any:
    return value if isinstance(value, str) and value and is_part(value, "-") else _DROP


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else _DROP


def _mapping(value: Any) -> Any:
    return value if isinstance(value, Mapping) else _DROP


def _one_of(words: tuple[str, ...]) -> Callable[[Any], Any]:
    return lambda value: value if value in words else _DROP


def _finite(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _DROP
    try:
        number = float(value)
    except OverflowError:
        return _DROP
    return number if math.isfinite(number) else _DROP


def _positive(value: Any) -> Any:
    number = _finite(value)
    return number if number is not _DROP and number > 0 else _DROP


def _percent(value: Any) -> Any:
    number = _finite(value)
    return number if number is not _DROP and 0 <= number <= 100 else _DROP


def _size(value: Any) -> Any:
    number = _positive(value)
    return int(number) if number is not _DROP and number >= 1 else _DROP
