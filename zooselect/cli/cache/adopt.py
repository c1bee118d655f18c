"""`zooselect cache import`: an old client's cache taken over."""

from __future__ import annotations

from pathlib import Path

import click

from zooselect.cli.cache.group import Cache, cache_command, count_of, document
from zooselect.cli.options import Tone
from zooselect.cli.output import one_line, out, out_json


@cache_command("import")
@click.argument("old", metavar="DIR", type=click.Path(path_type=Path))
def _import(tone: Tone, cache: Cache, old: Path) -> None:
    """Take over the whole models of an old client's cache, such as ~/.cache/sparsezoo.

    Each is checked, and then there for `download --offline`; the old cache stays as it is.
    """
    from zooselect.downloads.adopt import import_cache

    found = import_cache(cache.root, old)
    if tone.as_json:
        out_json(
            {
                **document(cache),
                "adopted": [{"stub": stub, "folder": str(to)} for stub, to in found.adopted],
                "skipped": [
                    {"folder": str(one.folder), "stub": one.stub, "reason": one.reason}
                    for one in found.skipped
                ],
            }
        )
    else:
        for stub, _ in found.adopted:
            out(stub)
    for one in found.skipped:
        tone.notes(one_line(f"{one.folder}: {one.reason}"))
    tone.notes(f"{count_of(len(found.adopted), 'model')} taken over")
