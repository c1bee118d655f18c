"""`zooselect cache verify`: is what is kept what was put there?"""

from __future__ import annotations

from typing import Any

import click

from zooselect.catalog.asked import Source
from zooselect.cli.cache.group import Cache, command, count_of, document
from zooselect.cli.options import Tone, catalog_options
from zooselect.cli.output import err, one_line, out, out_json
from zooselect.errors import IntegrityError
from zooselect.settings import Settings


@command.command("verify")
@click.option("--fix", is_flag=True, help="Remove what is damaged; fetch such files anew.")
@catalog_options
def _verify(tone: Tone, source: Source, settings: Settings, fix: bool) -> None:
    """Read all models and answers; exit 6 when something is damaged.

    With --fix, damaged answers are removed, a damaged database is made anew from what can
    still be read, and damaged files of models are fetched from the catalog's server: exit 0
    then.
    """
    from zooselect.cache.answers import AnswerCache
    from zooselect.cache.folder import cache_folder
    from zooselect.downloads.shelf import damage, stored

    root = cache_folder(settings.cache_dir)
    cache = Cache(root, AnswerCache(root))
    found = cache.answers.verify(fix=fix)
    lines = [*([f"database: {found.problem}"] if found.problem else [])]
    lines += [f"answer in row {one.row}: {one.reason}" for one in found.damaged]
    models = [one.model for one in stored(root)]
    broken = [(model, files) for model in models if (files := damage(model))]
    lines += [f"{model.manifest.stub}: {file.name}" for model, files in broken for file in files]
    if fix:
        for model, files in broken:
            _mend(tone, source, settings, model, files)
    if tone.as_json:
        out_json(
            {
                **document(cache),
                "ok": not lines,
                "fixed": bool(lines) and fix,
                "answers": found.answers,
                "problem": found.problem,
                "damaged": [one._asdict() for one in found.damaged],
                "models": len(models),
                "damaged_models": [
                    {"stub": model.manifest.stub, "files": [file.name for file in files]}
                    for model, files in broken
                ],
            }
        )
    else:
        for line in lines:
            out(one_line(f"damaged  {line}"))
    whole = count_of(len(models) - len(broken), "model")
    tone.notes(f"{whole} whole, {count_of(found.answers, 'answer')} as stored")
    if not lines:
        return
    if fix:
        tone.notes("what was damaged is gone or fetched anew")
        return
    error = IntegrityError(
        f"the cache is damaged: {count_of(len(lines), 'finding')}",
        hint="`zooselect cache verify --fix` removes damaged answers, fetches files anew",
    )
    if not tone.as_json:
        raise error
    # The report is the one document on stdout.
    err(f"error: {error.message}\nhint: {error.hint}")
    raise click.exceptions.Exit(error.exit_code)


def _mend(tone: Tone, source: Source, settings: Settings, model: Any, files: Any) -> None:
    from zooselect.downloads.model import Terms, bring
    from zooselect.downloads.shelf import remove_files
    from zooselect.stub import Stub

    # What is damaged goes first: without it the model is no longer taken for whole.
    remove_files(model, files)
    terms = Terms(model.folder, parts=model.manifest.parts)
    bring(Stub.parse(model.manifest.stub), source, settings, terms, tone.notes)
