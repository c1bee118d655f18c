"""The GraphQL text of a question, and what to leave out when a server does not know a field.

The operation `models`, its arguments and its fields are those on public record of the
SparseZoo API (sparsezoo 1.5 to 1.8 and its tests); `trainingScheme` is on record as an
argument only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from zooselect.catalog.asked import Asked


class Field(NamedTuple):
    """A field of a query.

    Attributes:
        name: its name.
        arguments: its arguments as GraphQL text; empty for none.
        fields: the fields of a nested list; empty for a plain value.
    """

    name: str
    arguments: str = ""
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        inner = f" {{ {' '.join(self.fields)} }}" if self.fields else ""
        return self.name + self.arguments + inner


#: All that ranking and explaining need.
FIELDS: tuple[Field, ...] = (
    *map(
        Field,
        (
            "modelId", "stub", "repoName", "domain", "task", "architecture", "subArchitecture",
            "framework", "repo", "sourceDataset", "trainingScheme", "sparseTag",
            "modelOnnxSizeCompressedBytes",
        ),
    ),
    Field("trainingResults", "", ("datasetName", "datasetType", "recordedUnits", "recordedValue")),
    Field(
        "benchmarkResults",
        "",
        ("batchSize", "deviceInfo", "numCores", "recordedUnits", "recordedValue"),
    ),
    Field("files", "(version: 2)", ("displayName", "fileSize")),
)  # fmt: skip

#: What every client's search has asked for.
LEAST: tuple[Field, ...] = (Field("modelId"), Field("stub"))

#: Fields of FIELDS that old clients asked for, by which servers can be told to know them: those
#: on record at all, those of sparsezoo 1.6 to 1.8, and those of 1.5, without arguments.
_KNOWN_AT_ALL = frozenset(field.name for field in FIELDS) - {"trainingScheme"}
_KNOWN_TO_1_5 = frozenset(
    {"modelId", "stub", "modelOnnxSizeCompressedBytes", "trainingResults", "benchmarkResults",
     "files"}
)  # fmt: skip
_KNOWN_TO_1_8 = _KNOWN_TO_1_5 | {"repoName"}

_NAMED = re.compile(r"""["'`]([A-Za-z_][A-Za-z0-9_]*)["'`]""")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def arguments_of(asked: Asked) -> dict[str, str]:
    """Return the arguments of the operation that a question comes to."""
    given = {"domain": asked.domain, "task": asked.sub_domain, "repoName": asked.name}
    return {name: value for name, value in given.items() if value is not None}


def query(arguments: Mapping[str, str], fields: Iterable[Field]) -> str:
    """Return the text of one operation; no value can change its meaning.

    Strings are written as JSON, whose escapes GraphQL shares; only ASCII is left.
    """
    given = ", ".join(f"{name}: {json.dumps(value)}" for name, value in arguments.items())
    selection = " ".join(map(str, fields))
    return f"{{ models{f'({given})' if given else ''} {{ {selection} }} }}"


def fewer(
    fields: tuple[Field, ...], messages: Iterable[str], *, by_name: bool = True
) -> tuple[Field, ...] | None:
    """Return what to ask instead, after a server refused `fields`; None when nothing is left.

    What each message names is left out, a field's arguments before the field. Where they name
    nothing, what clients have never asked for goes, then what older ones did not; then the
    nested lists one by one, the one that ranking needs last; and then all but the two fields
    that every client has asked for.

    Args:
        fields: what was asked.
        messages: what the server said.
        by_name: whether leaving out what is named will do. A server that has named one field a
            time for long is asked as old clients do.
    """
    kept = _without_named(fields, messages)
    if by_name and kept != fields:
        return kept
    shapes = [
        *_known(kept, _KNOWN_AT_ALL if by_name else _KNOWN_TO_1_8),
        *_known(kept, _KNOWN_TO_1_8),
        *_known([field._replace(arguments="") for field in kept], _KNOWN_TO_1_5),
    ]
    for less in shapes:
        if less != fields:
            return less
    lists = [field for field in kept if field.fields]
    if len(lists) > 1:
        return tuple(field for field in kept if field is not lists[-1])
    return None if set(fields) <= set(LEAST) else LEAST


def _known(fields: Iterable[Field], names: frozenset[str]) -> Iterator[tuple[Field, ...]]:
    """Those of the fields that are among the names, if a model's name is one of them."""
    less = tuple(field for field in fields if field.name in names)
    if _named_at_all(less):
        yield less


def _named_at_all(fields: Iterable[Field]) -> bool:
    return any(field.name in ("stub", "repoName") for field in fields)


def _without_named(fields: tuple[Field, ...], messages: Iterable[str]) -> tuple[Field, ...]:
    """The fields without what the messages name; all of them, where no model's name is left."""
    ours = {name for field in fields for name in (field.name, *field.fields)}
    arguments = {name for field in fields for name in _WORD.findall(field.arguments)}
    # Of the names in a message the first is what is refused; after it come its type, which may
    # be called like a field, and what the server knows instead.
    kept = list(fields)
    for message in messages:
        named = [name for name in _NAMED.findall(message) if name in ours | arguments]
        refused = next((name for name in named if name in arguments), None)
        if refused is not None:
            kept = [
                field._replace(arguments="") if refused in _WORD.findall(field.arguments) else field
                for field in kept
            ]
        elif named:
            kept = _without(kept, named[0])
    return tuple(kept) if _named_at_all(kept) else fields


def _without(fields: list[Field], name: str) -> list[Field]:
    """The fields without one of a name; of several lists that have it, the last is meant."""
    for position in reversed(range(len(fields))):
        field = fields[position]
        inner = tuple(one for one in field.fields if one != name)
        if field.name == name or (field.fields and not inner):
            return fields[:position] + fields[position + 1 :]
        if inner != field.fields:
            return [*fields[:position], field._replace(fields=inner), *fields[position + 1 :]]
    return fields
