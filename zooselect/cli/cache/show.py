"""`zooselect cache dir` and `ls`."""

from __future__ import annotations

from zooselect.cli.cache.group import (
    Cache,
    answer_of,
    cache_command,
    count_of,
    document,
    model_dict,
    number,
    words_of,
)  # fmt: skip
from zooselect.cli.options import Tone
from zooselect.cli.output import one_line, out, out_json, table, wrapped
from zooselect.downloads.shelf import stored


@cache_command("dir")
def _dir(tone: Tone, cache: Cache) -> None:
    """Print the folder of the cache; it need not be there yet."""
    if tone.as_json:
        out_json(document(cache))
    else:
        out(one_line(str(cache.root)))


@cache_command("ls")
def _ls(tone: Tone, cache: Cache) -> None:
    """List the models, and the answers: where from, what was asked, when, how many, bytes.

    With --quiet: the stubs of models and the ids of answers alone.
    """
    models = stored(cache.root)
    answers = [answer_of(entry) for entry in cache.answers.entries()]
    total = sum(one.bytes for one in answers)
    size = sum(one.model.manifest.size for one in models)
    if tone.as_json:
        listed = [one._asdict() for one in answers]
        shown = [model_dict(one) for one in models]
        both = {"models": shown, "answers": listed, "bytes": size + total}
        out_json({**document(cache), **both})
        return
    for kept in models:
        manifest = kept.model.manifest
        out(manifest.stub)
        if not tone.quiet:
            facts = f"{manifest.size:,} bytes, {', '.join(manifest.parts)}"
            out("\n".join(wrapped(one_line(f"{facts}, of {manifest.location}"), 2)))
    if tone.quiet:
        for one in answers:
            out(one.id)
    elif answers:
        rows = [
            (one.id, one.fetched_at or "?", number(one.models), f"{one.bytes:,}") for one in answers
        ]
        head, *lines = table([("id", "fetched", "models", "bytes"), *rows], right=(2, 3))
        out(head)
        for one, line in zip(answers, lines, strict=True):
            out(one_line(line))
            about = f"{one.url or '?'}: {words_of(one.question)}"
            out("\n".join(wrapped(one_line(about), 2)))
    tone.notes(
        f"{count_of(len(models), 'model')}, {size:,} bytes;"
        f" {count_of(len(answers), 'answer')}, {total:,} bytes"
    )
