"""The explanation of a selection, for people. The same content as its JSON output."""

from __future__ import annotations

from collections import Counter
from datetime import date
from textwrap import wrap
from typing import TYPE_CHECKING

from zooselect.catalog.provenance import age
from zooselect.level import POLICY

if TYPE_CHECKING:
    from zooselect.catalog.provenance import Provenance
    from zooselect.selection.selection import Selection

_LABEL = 15
_WIDTH = 80
_SHOWN = 3
_DIGEST = len("sha256:") + 12


def explain(selection: Selection, today: date | None = None) -> str:
    """Return the explanation as text of several lines, at most 80 columns but for stubs.

    Args:
        selection: the answer to explain.
        today: the day the catalog's age is counted to; None for the present day.
    """
    lines: list[str] = []

    def say(label: str, *values: str) -> None:
        for value in values:
            # Long texts wrap at spaces; a stub is never broken, for it is to be copied.
            indent = " " * (_LABEL * bool(lines) + len(value) - len(value.lstrip()))
            for line in wrap(
                value.lstrip(), _WIDTH, initial_indent=indent, subsequent_indent=indent,
                break_long_words=False, break_on_hyphens=False,
            ):  # fmt: skip
                lines.append(label + line[len(label) :])
                label = ""

    say("", f"{selection.head} (policy {POLICY})")
    band = selection.band
    if band.tier is not None:
        say("band", f"{band}: {band.tier} size, {band.optimization}")
    else:
        say("band", str(band))
    if selection.plan is not None:
        say("plan", str(selection.plan))
    dataset = selection.dataset
    if dataset is not None:
        used = dataset.used or "any"
        say("data set", f"{used} (to transfer from)" if dataset.transfer else used)
    if selection.filters:
        kept = ", ".join(f"{name} {value}" for name, value in selection.filters.items())
        say("filters", f"{kept} ({selection.filtered} left out)")
    if selection.size_classes:
        say("size classes", *_classes(selection))
    if selection.stub is not None:
        say("pick", selection.stub)
    if selection.why is not None:
        say("why", selection.why)
    if selection.notes:
        say("note", *selection.notes)
    if selection.alternatives:
        say("runner-up", *_listed(selection.alternatives[:1]))
    if len(selection.alternatives) > 1:
        say("not picked", *_listed(selection.alternatives[1:]))
    for label, stub in selection.neighbours.items():
        if stub is not None:
            say(f"{label} band", stub)
    if selection.excluded:
        say("left out", *_left_out(selection.excluded))
    if selection.provenance is not None:
        say("catalog", *_catalog(selection.provenance, today or date.today()))
    return "\n".join(lines)


def _classes(selection: Selection) -> list[str]:
    lines = []
    for one in selection.size_classes:
        largest, smallest = one["largest_millions"], one["smallest_millions"]
        size = f"{largest:g} M" if largest == smallest else f"{smallest:g}-{largest:g} M"
        tiers = one["tiers"]
        assert isinstance(tiers, list)
        lines.append(f"{size:<18}{', '.join(tiers) or '-'}")
    return lines


def _listed(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    lines = [line for stub, why in pairs[:_SHOWN] for line in (stub, f"  {why}")]
    if len(pairs) > _SHOWN:
        lines.append(f"and {len(pairs) - _SHOWN} more (--json has them all)")
    return lines


def _left_out(excluded: tuple[tuple[str, str], ...]) -> list[str]:
    if len(excluded) <= _SHOWN:
        return _listed(excluded)
    kinds = Counter(reason.split(":")[0] for _, reason in excluded)
    return [f"{count} {kind}" for kind, count in sorted(kinds.items())]


def _catalog(provenance: Provenance, today: date) -> list[str]:
    name = "the embedded snapshot" if provenance.source == "snapshot" else provenance.location
    if provenance.fetched_at is None:
        lines = [f"{name}{_age(provenance.compiled, today)}"]
    else:
        kept = ", from the cache" if provenance.from_cache else ""
        lines = [f"{name}, asked {age(provenance.age_seconds or 0)} ago{kept}"]
    if provenance.fallback is not None:
        lines.append(f"instead of {provenance.instead_of}: {provenance.fallback}")
    lines.append(_shortened(provenance.digest))
    for name, reason in provenance.skipped:
        lines.append(f"skipped {name}: {reason}")
    for name, reason in provenance.repaired:
        lines.append(f"repaired {name}: {reason}")
    return lines


def _shortened(digest: str) -> str:
    return digest if len(digest) <= _DIGEST else f"{digest[:_DIGEST]}..."


def _age(compiled: str | None, today: date) -> str:
    if compiled is None:
        return ", undated"
    try:
        days = (today - date.fromisoformat(compiled[:10])).days
    except ValueError:
        return f", compiled {compiled}"
    return f", compiled {compiled}, {days} {'day' if days == 1 else 'days'} ago"
