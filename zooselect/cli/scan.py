"""`zooselect scan`: stubs in files, and which of them are known."""

from __future__ import annotations

import click

from zooselect.catalog.asked import Asked, Source
from zooselect.catalog.catalog import Catalog
from zooselect.cli.options import Tone, catalog_options, words
from zooselect.cli.output import SCHEMA, one_line, out, out_json
from zooselect.errors import NotFoundError, UsageError
from zooselect.scan.names import AMBIGUOUS, KNOWN, MISSPELT, UNKNOWN
from zooselect.scan.scan import Finding, Scan, scan

#: What `--fail-on` takes, and the statuses it means.
_FAILURES = {
    "missing": (UNKNOWN, MISSPELT),
    "unknown": (UNKNOWN,),
    "misspelt": (MISSPELT,),
    "ambiguous": (AMBIGUOUS,),
}


@click.command("scan")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option(
    "--fail-on",
    multiple=True,
    metavar="WORD",
    shell_complete=words(*_FAILURES),
    help="Exit 3 if there is a stub that is " + ", ".join(_FAILURES) + ".",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what matches, as a line of a .gitignore in each PATH would.",
)
@click.option(
    "--sarif",
    "sarif_file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Also write what is not known or ambiguous as SARIF 2.1.0; - for stdout, and that alone.",
)
@catalog_options
def command(
    tone: Tone,
    source: Source,
    paths: tuple[str, ...],
    fail_on: tuple[str, ...],
    exclude: tuple[str, ...],
    sarif_file: str | None,
) -> None:
    """Find the stubs in files and folders, and say for each whether it is known.

    A line is path:line:column: status stub (hint); the status is known, ambiguous (a v2
    stub of several models), misspelt or unknown. .gitignore is obeyed. With --quiet: only
    what is not known.
    """
    for word in fail_on:
        if word not in _FAILURES:
            raise UsageError(
                f"unknown failure {word!r}", hint="--fail-on takes " + ", ".join(_FAILURES)
            )
    if sarif_file == "-" and tone.as_json:
        raise UsageError("--json and --sarif - both want stdout", hint="give a file name")
    catalog = source.of(Asked())
    own = catalog.provenance.source != "snapshot"
    found = scan(paths, catalog, exclude, Catalog.embedded() if own else ())
    failing = {status for word in fail_on for status in _FAILURES[word]}
    hits = sum(one.status in failing for one in found.findings)
    if sarif_file is not None:
        _write_sarif(found, sarif_file)
    # Who keeps files has those of every model it knows; of other catalogs nobody can tell.
    keeps = source.files is not None and own
    if tone.as_json:
        out_json(
            {
                "schema": SCHEMA,
                "files": found.files,
                "binary_files": found.binary,
                "counts": found.counts,
                "stubs": [_dict(one, keeps) for one in found.findings],
                "notes": [{"path": path, "reason": reason} for path, reason in found.notes],
                "fail_on": list(fail_on),
                "exclude": list(exclude),
                "hits": hits,
                "provenance": catalog.provenance.to_dict(),
            }
        )
    elif sarif_file != "-":
        for one in found.findings:
            if one.status != KNOWN or not tone.quiet:
                out(_line(one))
    tone.notes(*(one_line(f"{path}: {reason}") for path, reason in found.notes))
    counts = ", ".join(f"{count} {status}" for status, count in found.counts.items() if count)
    tone.notes(f"{found.files} file{'s'[: found.files != 1]}, {counts or 'no stub'}")
    if not found.files:
        tone.notes("nothing was read: is there a file in " + one_line(", ".join(paths)) + "?")
    if hits:
        raise click.exceptions.Exit(NotFoundError.exit_code)


def _line(one: Finding) -> str:
    hint = f" ({one.hint})" if one.hint else ""
    place = f"{one.file}:{one.at.line}:{one.at.column}"
    return one_line(f"{place}: {one.status} {one.at.text}{hint}")


def _dict(one: Finding, mirror: bool) -> dict[str, object]:
    judgement = one.at.judgement
    known = one.status == KNOWN
    return {
        "path": one.file,
        "line": one.at.line,
        "column": one.at.column,
        "stub": one.at.text,
        "status": one.status,
        "available": (known if mirror else None),
        "model": judgement.names[0] if known else None,
        "candidates": [] if known else list(judgement.names),
        "unverified": judgement.unverified,
        "hint": one.hint,
    }


def _write_sarif(found: Scan, path: str) -> None:
    import json

    from zooselect import __version__
    from zooselect.files import write_whole
    from zooselect.scan.sarif import sarif

    document = sarif(found, __version__)
    if path == "-":
        out_json(document)
    else:
        write_whole(path, json.dumps(document, indent=2).encode() + b"\n")
