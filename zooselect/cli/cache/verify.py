"""`zooselect cache verify`: is what is kept what was put there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from zooselect.catalog.asked import Source
from zooselect.cli.cache.group import Cache, command, count_of, document
from zooselect.cli.options import Tone, catalog_options
from zooselect.cli.output import Failure, end_report, one_line, out, out_json
from zooselect.errors import IntegrityError, NotFoundError, ZooSelectError
from zooselect.settings import Settings

if TYPE_CHECKING:
    from zooselect.downloads.shelf import Damage


@command.command("verify")
@click.option("--fix", is_flag=True, help="Remove what is damaged; fetch such files anew.")
@catalog_options
def _verify(tone: Tone, source: Source, settings: Settings, fix: bool) -> None:
    """Read all models and answers; exit 6 when something is damaged.

    With --fix, damaged answers are removed, a damaged database is made anew from what can
    still be read, and damaged files of models are fetched from the catalog's server: exit 0
    if all of it was.
    """
    from zooselect.cache.answers import AnswerCache
    from zooselect.cache.folder import cache_folder
    from zooselect.downloads.shelf import damaged, stored

    root = cache_folder(settings.cache_dir)
    cache = Cache(root, AnswerCache(root))
    answers = cache.answers.verify(fix=fix)
    lines = [*([f"database: {answers.problem}"] if answers.problem else [])]
    lines += [f"answer in row {one.row}: {one.reason}" for one in answers.damaged]
    broken = damaged(root)
    for one in broken:
        lines += [f"{one.stub}: {name}" for name in one.files or ("its manifest",)]
    errors = [_mended(tone, source, settings, one) if fix else None for one in broken]
    failures = [error for error in errors if error is not None]
    models = len(stored(root))
    failure = None
    if failures:
        what = f"{count_of(len(failures), 'model')} cannot be mended: {failures[0].message}"
        failure = Failure.of(IntegrityError(what, hint=failures[0].hint))
    elif lines and not fix:
        what = f"the cache is damaged: {count_of(len(lines), 'finding')}"
        hint = "`zooselect cache verify --fix` removes damaged answers, fetches files anew"
        failure = Failure.of(IntegrityError(what, hint=hint))
    if tone.as_json:
        out_json(
            {
                **document(cache),
                "ok": not lines,
                "fixed": bool(lines) and fix and not failures,
                "answers": answers.answers,
                "problem": answers.problem,
                "damaged": [one._asdict() for one in answers.damaged],
                "models": models,
                "damaged_models": [
                    {
                        "stub": one.stub,
                        "files": list(one.files),
                        "error": None if error is None else error.message,
                    }
                    for one, error in zip(broken, errors, strict=True)
                ],
                "error": None if failure is None else failure._asdict(),
            }
        )
    else:
        for line in lines:
            out(one_line(f"damaged  {line}"))
    left = [one for one, error in zip(broken, errors, strict=True) if error or not fix]
    whole = models - sum(bool(one.files) for one in left)
    tone.notes(f"{count_of(whole, 'model')} whole, {count_of(answers.answers, 'answer')} as stored")
    if failure is not None:
        end_report(failure)
    if lines:
        tone.notes("what was damaged is gone or fetched anew")


def _mended(tone: Tone, source: Source, settings: Settings, found: Damage) -> ZooSelectError | None:
    """Fetch what is damaged of a model; return why that cannot be done."""
    from zooselect.downloads.model import Terms, bring
    from zooselect.downloads.shelf import distrust
    from zooselect.lock.place import how_to_ask, same_place
    from zooselect.stub import Stub

    try:
        distrust(found)
        terms = Terms(found.folder, parts=found.parts)
        bring(Stub.parse(found.stub), source, settings, terms, tone.notes)
    except ZooSelectError as error:
        files = source.files
        asked = files is not None and found.keeper and same_place(files.place, found.keeper[1])
        if isinstance(error, NotFoundError) and found.keeper and not asked:
            kept = found.keeper[1]
            error.hint = f"it was fetched from {kept}: {how_to_ask(*found.keeper)}"
        return error
    return None
