"""`zooselect apply`: one-shot really done."""

from __future__ import annotations

import json
import os
import sys

import click

from zooselect.apply import Report
from zooselect.apply.one_shot import Progress, carry_out
from zooselect.apply.options import DEFAULT_SAMPLES, Options
from zooselect.apply.prune import SCOPES
from zooselect.apply.report import markdown
from zooselect.catalog.asked import Source
from zooselect.cli.options import Tone, catalog_options, words
from zooselect.cli.output import SCHEMA, err, one_line, out, out_json
from zooselect.errors import LocalFileError, StubError, UsageError
from zooselect.level import DEFAULT_LEVEL, parse_level_text
from zooselect.settings import Settings
from zooselect.stub import Stub

#: What cannot be read is told of, and counted, where it is read.
_PATH = click.Path(readable=False)


@click.command("apply")
@click.argument("model", type=_PATH)
@click.option(
    "-l",
    "--optim-level",
    default=str(DEFAULT_LEVEL),
    show_default=True,
    metavar="LEVEL",
    help="0.0 (a copy) to 1.0 (80 % sparse and INT8), or 0% to 100%.",
)
@click.option(
    "--data",
    type=_PATH,
    metavar="FOLDER",
    help="Samples to calibrate and compare with: .npz files, one sample each.",
)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    metavar="FILE",
    help="Where to write [default: NAME-optimLEVEL.onnx beside the model].",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="NAMES",
    help="Layers to leave as they are, separated by commas.",
)
@click.option("--prune-ends", is_flag=True, help="Prune the first convolution and last layers too.")
@click.option(
    "--scope",
    default="layer",
    show_default=True,
    metavar="SCOPE",
    shell_complete=words(*SCOPES),
    help="Whose weights compete: those of each layer, or global.",
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=DEFAULT_SAMPLES,
    show_default=True,
    metavar="N",
    help="Use the first N samples.",
)
@click.option(
    "--synthetic-data",
    type=click.IntRange(1),
    metavar="N",
    help="Make up N samples; for a first try only.",
)
@click.option("--force", is_flag=True, help="Take a model already quantized or sparse.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option(
    "--report",
    type=_PATH,
    metavar="FILE",
    help="Write all that was measured, layer by layer: .json or .md.",
)
@catalog_options
def command(
    tone: Tone,
    source: Source,
    settings: Settings,
    model: str,
    optim_level: str,
    data: str | None,
    output: str | None,
    exclude: tuple[str, ...],
    prune_ends: bool,
    scope: str,
    samples: int,
    synthetic_data: int | None,
    force: bool,
    dry_run: bool,
    report: str | None,
) -> None:
    """Prune and quantize MODEL, an ONNX file, model folder or stub, and measure what came out.

    The plan is that of `resolve --mode one-shot`. The output is written only if reading it
    back shows the planned zeros and INT8 operators. With --quiet: its path, alone on stdout.
    """
    names = tuple(name.strip() for text in exclude for name in text.split(",") if name.strip())
    options = Options(
        parse_level_text(optim_level), output, data, synthetic_data or 0, samples, names,
        prune_ends, scope, force, dry_run,
    )  # fmt: skip
    if report is not None:
        _check_report(report, output, model)
    path = _path_of(model, options, tone, source, settings)
    progress = _progress(tone)
    try:
        done = carry_out(path, options, progress)
    finally:
        if progress is not None:
            progress("done", 1, 1)
    document = {"schema": SCHEMA, **done.to_dict()}
    if report is not None:
        from zooselect.files import write_whole

        as_markdown = report.lower().endswith(".md")
        text = markdown(done) if as_markdown else json.dumps(document, indent=2) + "\n"
        write_whole(report, text.encode())
    if tone.as_json:
        out_json(document)
    elif not tone.quiet:
        out(str(done))
    elif done.output is not None:
        out(one_line(done.output))
    tone.notes(*(one_line(note) for note in done.notes))
    if tone.verbose:
        _tell_layers(done)


def _check_report(report: str, output: str | None, model: str) -> None:
    """Refuse what could not be written, or not without loss, when all the work is done."""
    if not report.lower().endswith((".json", ".md")):
        raise UsageError(f"the report {report!r} is neither .json nor .md", hint="name it so")
    final = os.path.realpath(report)
    if not os.path.isdir(os.path.dirname(final)):
        raise LocalFileError(f"no such folder: {os.path.dirname(final)}", hint="make it first")
    if final in (os.path.realpath(model), os.path.realpath(output or ".")):
        raise UsageError(f"the report {report} would overwrite a model", hint="name another")


def _path_of(model: str, options: Options, tone: Tone, source: Source, settings: Settings) -> str:
    """The model as a path: what exists is one, a stub is downloaded."""
    if os.path.exists(model):
        return model
    try:
        stub = Stub.parse(model)
    except StubError:
        if model.startswith("zoo:"):
            raise
        return model
    if options.output is None and not options.dry_run:
        raise UsageError(
            "a stub's model stands in the cache, and nothing else goes there",
            hint="name the output: -o FILE",
        )
    options.check()  # before anything is fetched
    from zooselect.cli.progress import watching
    from zooselect.downloads.model import Terms, bring

    with watching(tone, stub.canonical) as progress:
        terms = Terms(parts=("model",), progress=progress)
        return str(bring(stub, source, settings, terms, tone.notes).folder)


def _tell_layers(report: Report) -> None:
    for layer in report.layers:
        zeros = "" if layer.zeros is None else f" {layer.zeros} zeros"
        kind = "int8" if layer.int8 else "float"
        why = f" ({layer.reason})" if layer.reason else ""
        err(one_line(f"layer {layer.name}: {layer.numel} weights,{zeros} {kind}{why}"))


def _progress(tone: Tone) -> Progress | None:
    """A line on stderr that is written over, where people watch."""
    if tone.quiet or not sys.stderr.isatty():
        return None

    def show(step: str, done: int, of: int) -> None:
        text = "" if step == "done" else f"{step} {done}/{of}"
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()

    return show
