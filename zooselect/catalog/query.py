"""The GraphQL text of a question, and what to leave out when a server does not know a field.

The operation `models`, its arguments and its fields are those on public record of the
SparseZoo API (sparsezoo 1.5 to 1.8 and its tests); `trainingScheme` is on record as an
argument only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
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


def fewer(fields: tuple[Field, ...], messages: Iterable[str]) -> tuple[Field, ...] | None:
    """Return what to ask instead, after a server refused `fields`; None when nothing is left.

    Arguments and fields the messages name are left out, a field's arguments before the
    field. Where they name none, the nested lists go one by one, the one that ranking needs
    last, and then all but the two fields that every client has asked for.
    """
    # What a server proposes instead of an unknown field is not what it refuses.
    refusals = (message.partition("Did you mean")[0] for message in messages)
    named = {name for message in refusals for name in _NAMED.findall(message)}
    kept = tuple(one for field in fields if (one := _without(field, named)) is not None)
    if kept != fields and {field.name for field in kept} & {"stub", "repoName"}:
        return kept
    lists = [field for field in fields if field.fields]
    if lists:
        return tuple(field for field in fields if field is not lists[-1])
    return None if set(fields) <= set(LEAST) else LEAST


def _without(field: Field, names: set[str]) -> Field | None:
    if names & set(_WORD.findall(field.arguments)):
        return field._replace(arguments="")
    if field.name in names:
        return None
    fields = tuple(name for name in field.fields if name not in names)
    return None if field.fields and not fields else field._replace(fields=fields)
