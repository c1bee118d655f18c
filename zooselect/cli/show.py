"""`zooselect show`: all that is on record of one model."""

from __future__ import annotations

from typing import Any

import click

from zooselect.catalog.asked import Asked, Source
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.search import Found, describe
from zooselect.cli.options import (
    Tone,
    catalog_options,
    stub_argument,
)  # fmt: skip
from zooselect.cli.output import SCHEMA, millions, one_line, out, out_json
from zooselect.record import ModelRecord
from zooselect.stub import Stub


@click.command("show")
@stub_argument
@catalog_options
def command(
    tone: Tone,
    source: Source,
    stub: str,
) -> None:
    """Show one model: what it is, how good, and where each fact stands.

    STUB is a v1 or v2 stub, with or without `zoo:`.
    """
    wanted = Stub.parse(stub)
    catalog = source.of(Asked.of_stub(wanted))
    record = catalog.find(wanted)
    found = _described(catalog, record)
    if tone.as_json:
        out_json(
            {
                "schema": SCHEMA,
                "requested": stub,
                **found.to_dict(),
                "ambiguous_with": list(record.ambiguous_with),
                "provenance": catalog.provenance.to_dict(),
            }
        )
    else:
        out("\n".join(_lines(found, record)))
    if record.ambiguous_with:
        tone.notes("its v2 name may mean any of: " + ", ".join(record.ambiguous_with))
    if record.confidence == "low":
        tone.notes("unverified: this model may never have been published")
    if wanted.canonical != record.stub:
        tone.notes(f"{wanted.canonical} is another name of this model")


def _described(catalog: Catalog, record: ModelRecord) -> Found:
    """The record with its size and quality, and under all its names."""
    beside = catalog.at(record.domain, record.sub_domain)
    found = next(one for one in describe(beside) if record.stub in (one.record.stub, *one.aliases))
    if found.record is record:
        return found
    names = dict.fromkeys([found.record.stub, *found.aliases])
    aliases = tuple(name for name in names if name != record.stub)
    return Found(record, aliases, found.size, found.metric, found.quality)


def _lines(found: Found, record: ModelRecord) -> list[str]:
    raw: dict[str, Any] = record.to_dict()
    lines = [record.stub, *(f"  also           {alias}" for alias in found.aliases)]

    def say(label: str, value: object) -> None:
        if value is not None:
            lines.append(f"  {label:<15}{one_line(str(value))}")

    say("task", None if record.domain is None else f"{record.domain}/{record.sub_domain}")
    say("architecture", record.network)
    say("dense size", _size(found))
    say("framework", record.framework)
    say("repo", record.repo)
    say("data set", record.source_dataset)
    say("scheme", record.training_scheme)
    say("optimization", f"{record.optimization} ({record.sparse_tag})")
    if record.sparsity_percent is not None:
        say("sparsity", f"{record.sparsity_percent:g} %")
    for key, label in (("onnx_size_bytes", "model.onnx"), ("compressed_size_bytes", "compressed")):
        if raw.get(key) is not None:
            say(label, f"{raw[key]:,} bytes")
    for result in record.results:
        doubt = f" (suspect: {result.suspect})" if result.suspect else ""
        units = f" {result.units}" if result.units else ""
        say("result", f"{result.metric} {result.value:g}{units} on {result.dataset or '?'}{doubt}")
        say("", result.source)
    for one in _objects(raw.get("throughput")):
        say("throughput", _throughput(one))
        say("", one.get("source"))
    say("recipes", ", ".join(record.recipe_types) or None)
    for key, label in (("hf_repo", "Hugging Face"), ("status_note", "status"), ("note", "note")):
        say(label, _stated(raw.get(key)))
    say("confidence", record.confidence)
    for source in _objects(raw.get("sources")):
        at = f"@ {source['commit']}" if source.get("commit") else None
        parts = (source.get("repo"), source.get("path"), at)
        say("source", " ".join(str(part) for part in parts if part))
    return lines


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list that is only shown, and so was never parsed."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _stated(fact: Any) -> str | None:
    """A fact as a line: a text, or an object that holds one beside its source."""
    if isinstance(fact, dict):
        fact = fact.get("repo") or fact.get("text")
    return fact if isinstance(fact, str) else None


def _size(found: Found) -> str | None:
    if found.size is None:
        return None
    return f"{millions(found.size.millions)} parameters ({found.size.basis})"


def _throughput(one: dict[str, Any]) -> str:
    value = one.get("value")
    number = f"{value:.4g}" if isinstance(value, float) else str(value)
    words = [f"{number} {one.get('units', '')}"]
    keys = ("device", "cores", "batch_size", "engine")
    return ", ".join([*words, *(f"{key} {one[key]}" for key in keys if key in one)])
