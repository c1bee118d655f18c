"""The page: one HTML file that needs nothing else, and takes nothing for markup.

The plain files of `data/report/` are filled in, with the data as JSON. The page's policy
(CSP) lets it load nothing, and run nothing but its own script, known by its digest.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from zooselect import __version__
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.data import read_data
from zooselect.report import words
from zooselect.report.facts import TaskFacts, data_of, facts_of
from zooselect.task import Task

_PLACE = re.compile(r"@@(\w+)@@")
#: What could end a script, or a line of one, before its end.
_IN_SCRIPTS = str.maketrans(
    {char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
)  # fmt: skip


def page(catalog: Catalog, tasks: Iterable[Task], *, served: bool = False) -> bytes:
    """Return the page of some tasks of a catalog, UTF-8; the same bytes for the same catalog.

    Of each task every band's answer is in it, and at most `facts.MOST_MODELS` models. Without
    tasks it says that there is nothing to show.

    Args:
        catalog: where to look.
        tasks: what to show.
        served: whether the page stands where its catalog does, as that of `serve`.

    Raises:
        NoCandidateError: the catalog has no model of one of the tasks.
    """
    facts = [facts_of(catalog, task) for task in tasks]
    return _filled(catalog, facts, data_of(catalog, facts, __version__, served=served))


def as_script(data: Any) -> str:
    """A document as JSON that may stand in a script element whatever it holds."""
    text = json.dumps(data, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return text.translate(_IN_SCRIPTS)


def _filled(catalog: Catalog, facts: Sequence[TaskFacts], data: dict[str, Any]) -> bytes:
    style, script = (read_data(f"report/page.{kind}").decode() for kind in ("css", "js"))
    parts = {
        "version": escape(__version__),
        "policy": escape(
            f"default-src 'none'; img-src data:; style-src '{_digest(style)}';"
            f" script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
        ),
        "style": style,
        "script": script,
        "data": as_script(data),
        "options": "".join(map(_option, facts)),
        "tables": "\n".join(map(_table, facts)) or _nothing(len(catalog)),
        "provenance": _provenance(catalog, data["provenance"]),
    }
    template = read_data("report/page.html").decode()
    # In one pass: what is filled in is not looked at again.
    text = _PLACE.sub(lambda place: parts[place[1]], template)
    return text.encode("utf-8", "replace")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _option(one: TaskFacts) -> str:
    title = escape(words.title(one.task, one.asked))
    return f'<option value="{escape(one.task.name)}">{title}</option>'


def _table(one: TaskFacts) -> str:
    """The ladder of a task; what is left of the page without JavaScript."""
    facts = one.to_dict()
    metric = facts.get("metric")
    head = ("Level", "Model", "Optimization", "Size", f"Quality, {metric}" if metric else "Quality")
    rows = "\n".join(_row(band, facts) for band in facts["bands"])
    heads = "".join(f'<th scope="col" role="columnheader">{escape(name)}</th>' for name in head)
    return (
        f'<table role="table" class="ladder" id="ladder-{escape(one.task.name)}">\n'
        f"<caption>{escape(facts['title'])}: what every level comes to</caption>\n"
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{rows}\n</tbody>\n</table>'
    )


def _row(band: dict[str, Any], facts: dict[str, Any]) -> str:
    name = band["levels"]
    if band["stub"] is None:
        reason = escape(band["words"][-1])
        return (
            f'<tr role="row"><th scope="row" role="rowheader">{escape(name)}</th>'
            f'<td role="cell" colspan="4">{reason}</td></tr>'
        )
    got = band["got"] if "sparsity" not in band else f"{band['got']}, {band['sparsity']:g} % zeros"
    stub = escape(band["stub"]).replace("/", "/<wbr>")
    cells = (
        f"<b>{escape(band['network'])}</b> <code>{stub}</code>",
        escape(got) + ("" if band["exact"] else ' <span class="fallback">fallback</span>'),
        escape(band["size"]),
        escape(band.get("figure", "not on record")),
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{escape(name)}</th>' + "".join(
        f'<td role="cell">{cell}</td>' for cell in cells
    ) + "</tr>"  # fmt: skip


def _nothing(models: int) -> str:
    return (
        "<p>Nothing to choose from: none of the tasks zooselect knows has a model here."
        f" Models in this catalog: {models}.</p>"
    )


def _provenance(catalog: Catalog, facts: dict[str, Any]) -> str:
    skipped = facts["skipped"]
    rows = [
        ("Models", f"{facts['models']}" + (f", {skipped} unusable left out" if skipped else "")),
        ("Compiled", facts.get("compiled", "undated")),
        ("Digest", facts["digest"]),
        ("Made by", f"zooselect {__version__}"),
    ]
    about = f"<p>{escape(words.about(catalog.provenance))}</p>\n"
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return f"{about}<dl>{listed}</dl>"
