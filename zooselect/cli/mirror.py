"""`zooselect mirror`: bring a zoo back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from zooselect.cli.options import Tone
from zooselect.cli.output import SCHEMA, Failure, end_report, one_line, out, out_json, table
from zooselect.errors import IntegrityError
from zooselect.mirror.store import Mirror, MirrorModel


@click.group("mirror", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Bring a zoo back: a plain folder of models, checked and described.

    `zooselect resolve --catalog DIR/catalog.json` picks from it, `zooselect serve DIR`
    serves it to the old clients, and any static web host can hold it.
    """


def _mirror_command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of the group; it gets a `tone` and the path `folder`."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @command.command(name)
        @click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
        @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
        @click.option("-q", "--quiet", is_flag=True, help="Data only: no notes on stderr.")
        @click.option("--verbose", is_flag=True, help="Say more on stderr.")
        @wraps(function)
        def run(*, as_json: bool, quiet: bool, verbose: bool, **arguments: Any) -> None:
            function(tone=Tone(as_json, quiet, verbose), **arguments)

        return run

    return decorate


@_mirror_command("init")
def _init(tone: Tone, folder: Path) -> None:
    """Make an empty mirror in DIR; one that is there stays as it is."""
    from zooselect.mirror.publish import init

    models = init(folder).models()
    if tone.as_json:
        out_json({"schema": SCHEMA, "mirror": str(folder), "models": len(models)})
    else:
        out(one_line(str(folder)))
    if models:
        tone.notes(f"a mirror of {_count(len(models), 'model')} was there already")


@_mirror_command("add")
@click.argument("stub")
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option("--alias", metavar="STUB", help="The model's name in the other grammar, v1 or v2.")
@click.option(
    "--results", metavar="FILE", type=click.Path(path_type=Path),
    help="JSON with lists `results` and `throughput`: what was measured.",
)  # fmt: skip
@click.option("--replace", is_flag=True, help="Take the place of the version that is there.")
def _add(
    tone: Tone,
    folder: Path,
    stub: str,
    paths: Sequence[Path],
    alias: str | None,
    results: Path | None,
    replace: bool,
) -> None:
    """Put a model into the mirror in DIR.

    PATH is a file (model.onnx, recipe.md, ...), a folder `deployment` or `training`, or a
    model folder as the old clients keep it.
    """
    from zooselect.mirror.describe import parse_names, read_results
    from zooselect.mirror.gather import gather
    from zooselect.mirror.publish import add

    names = parse_names(stub, alias)
    mirror = Mirror.open(folder)
    given = read_results(results) if results is not None else {}
    gathered = gather(paths)
    added = add(mirror, names, gathered.sources, given, replace=replace)
    notes = (*gathered.notes, *added.notes)
    if tone.as_json:
        out_json(
            {
                "schema": SCHEMA,
                "mirror": str(folder),
                **_model_dict(added.model),
                "replaced": added.replaced,
                "notes": list(notes),
            }
        )
    else:
        out(added.model.record.stub)
    tone.notes(*map(one_line, notes))


@_mirror_command("import")
@click.argument("cache", metavar="CACHE_FOLDER", type=click.Path(path_type=Path))
def _import(tone: Tone, folder: Path, cache: Path) -> None:
    """Take over the models an old client left in CACHE_FOLDER.

    That is usually ~/.cache/sparsezoo. Whole models are copied; one with an error page, a
    cut or an empty file in it is skipped with the reason.
    """
    from zooselect.mirror.adopt import adopt

    done = adopt(Mirror.open(folder), cache)
    if tone.as_json:
        out_json(
            {
                "schema": SCHEMA,
                "mirror": str(folder),
                "adopted": [
                    {"from": str(one.folder), **_model_dict(one.model), "notes": list(one.notes)}
                    for one in done.adopted
                ],
                "skipped": [
                    {
                        "from": str(one.folder),
                        "stub": one.stub,
                        "reason": one.reason,
                        "present": one.present,
                    }
                    for one in done.skipped
                ],
            }
        )
    else:
        for adopted in done.adopted:
            out(f"adopted  {adopted.model.record.stub}")
        for skipped in done.skipped:
            out(one_line(f"skipped  {skipped.stub or skipped.folder}  {skipped.reason}"))
    for adopted in done.adopted:
        tone.notes(*(one_line(f"{adopted.folder.name}: {note}") for note in adopted.notes))
    tone.notes(f"{_count(len(done.adopted), 'model')} adopted, {len(done.skipped)} skipped")


@_mirror_command("verify")
def _verify(tone: Tone, folder: Path) -> None:
    """Read and hash every file of the mirror in DIR; exit 6 when one is missing or changed.

    Left-overs of interrupted commands are removed once they are an hour old, and a catalog
    that lags behind is compiled anew.
    """
    from zooselect.mirror.verify import verify

    found = verify(folder)
    error = IntegrityError(
        f"{_count(len(found.damage), 'file')} of the mirror missing or changed",
        hint="`mirror add --replace` puts a model there anew, `mirror rm` takes it out",
    )
    if tone.as_json:
        document = {
            "schema": SCHEMA,
            "mirror": str(folder),
            "ok": not found.damage,
            "error": Failure.of(error)._asdict() if found.damage else None,
            "models": found.models,
            "files": found.files,
            "bytes": found.size,
            "damage": [one._asdict() for one in found.damage],
            "stray": list(found.stray),
            "catalog_compiled": found.compiled,
        }
        out_json(document)
    else:
        for problem in found.damage:
            out(one_line(f"{problem.kind}  {problem.path}  {problem.reason}"))
        for path in found.stray:
            out(one_line(f"stray    {path}"))
    if found.compiled:
        tone.notes("the catalog lagged behind its models; it was compiled anew")
    tone.notes(
        f"{_count(found.models, 'model')}, {_count(found.files, 'file')}, {found.size:,} bytes"
    )
    if found.damage:
        end_report(Failure.of(error))


@_mirror_command("export")
@click.argument("destination", metavar="DEST")
def _export(tone: Tone, folder: Path, destination: str) -> None:
    """Copy the mirror in DIR to DEST, a folder or an fsspec URL (s3://bucket/zoo).

    What is there already is not copied again; the catalog comes last.
    """
    from zooselect.mirror.export import destination as destination_of
    from zooselect.mirror.export import export

    done = export(Mirror.open(folder), destination_of(destination))
    if tone.as_json:
        where = {"mirror": str(folder), "destination": destination}
        out_json({"schema": SCHEMA, **where, **done._asdict()})
    else:
        out(one_line(destination))
    tone.notes(
        f"{_count(done.models, 'model')}: {_count(done.copied, 'file')} copied"
        f" ({done.size:,} bytes), {done.present} there already"
    )


@_mirror_command("ls")
def _ls(tone: Tone, folder: Path) -> None:
    """List the models of the mirror in DIR, with their files and bytes."""
    listing = Mirror.open(folder).read()
    if tone.as_json:
        out_json(
            {
                "schema": SCHEMA,
                "mirror": str(folder),
                "compiled": listing.compiled,
                "models": [_model_dict(model) for model in listing.models],
                "skipped": [{"record": name, "reason": why} for name, why in listing.skipped],
            }
        )
    elif listing.models:
        rows = [(one.record.stub, str(len(one.files)), f"{one.size:,}") for one in listing.models]
        out("\n".join(table([("stub", "files", "bytes"), *rows], right=(1, 2))))
    tone.notes(*(one_line(f"{name}: unusable: {why}") for name, why in listing.skipped))
    if not listing.models:
        tone.notes("no model in it yet")


@_mirror_command("rm")
@click.argument("stub")
def _rm(tone: Tone, folder: Path, stub: str) -> None:
    """Take a model, by either of its names, out of the mirror in DIR."""
    from zooselect.mirror.publish import remove

    model = remove(Mirror.open(folder), stub)
    if tone.as_json:
        out_json({"schema": SCHEMA, "mirror": str(folder), "removed": _model_dict(model)})
    else:
        out(model.record.stub)


def _model_dict(model: MirrorModel) -> dict[str, object]:
    return {
        "stub": model.record.stub,
        "names": list(model.names),
        "model_id": model.model_id,
        "folder": model.folder,
        "bytes": model.size,
        "files": [file.to_dict() for file in model.files],
    }


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s'[: count != 1]}"
