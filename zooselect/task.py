"""The tasks: what each one is called, where its models stand, how they are judged.

The one home of the task table. Names, default data sets and metrics are those
of the Sparsify guides and the SparseZoo catalog; the aliases are the ones
Sparsify's use-case option took (sparsify `schemas/` and sparsezoo
`utils/constants.py`), with `-`, `_` and letter case alike.
"""

from __future__ import annotations

from typing import NamedTuple

from zooselect.errors import UsageError


class Task(NamedTuple):
    """One task (Sparsify called it a use case).

    Attributes:
        name: canonical name, e.g. `image_classification`.
        domain: catalog domain, `cv`, `nlp` or `nlg`.
        sub_domain: catalog sub-domain, e.g. `classification`.
        dataset: data set to transfer from when the user names none or has their
            own; None where any data set will do.
        metric: the metric quality is judged by; None where none is on record.
        aliases: further names that mean this task.
    """

    name: str
    domain: str
    sub_domain: str
    dataset: str | None
    metric: str | None
    aliases: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Task:
        """Return the task a name or alias means; `-`/`_` and letter case are alike.

        Raises:
            UsageError: nobody knows the name; the hint has the closest ones.
        """
        if not isinstance(text, str):
            raise UsageError(f"a task is named by a text, not by {text!r}", hint=_all_tasks())
        task = cls.find(text)
        if task is None:
            raise UsageError(f"unknown task {text!r}", hint=_closest(text))
        return task

    @classmethod
    def find(cls, text: str) -> Task | None:
        """Return the task a name or alias means; None where nobody knows it."""
        return _BY_NAME.get(_fold(text))


TASKS: tuple[Task, ...] = (
    Task(
        "image_classification", "cv", "classification", "imagenet", "top1_accuracy",
        ("ic", "classification", "cv_classification"),
    ),
    Task(
        "object_detection", "cv", "detection", "coco", "mAP@0.5",
        ("od", "detection", "cv_detection", "yolo"),
    ),
    Task(
        "segmentation", "cv", "segmentation", "coco", "mAP@0.5 mask",
        ("image_segmentation", "cv_segmentation"),
    ),
    Task(
        "question_answering", "nlp", "question_answering", "squad", "F1",
        ("qa", "nlp_question_answering"),
    ),
    Task(
        "text_classification", "nlp", "text_classification", "mnli", "accuracy",
        ("glue", "nlp_text_classification"),
    ),
    Task(
        "sentiment_analysis", "nlp", "sentiment_analysis", "sst2", "accuracy",
        ("sentiment", "nlp_sentiment_analysis"),
    ),
    Task(
        "token_classification", "nlp", "token_classification", "conll2003", "accuracy",
        (
            "ner", "named_entity_recognition", "nlp_token_classification",
            "nlp_named_entity_recognition",
        ),
    ),
    Task(
        "document_classification", "nlp", "document_classification", "imdb", "accuracy",
        ("nlp_document_classification",),
    ),
    Task(
        "multilabel_text_classification", "nlp", "multilabel_text_classification",
        "goemotions", "average_F1",
        ("nlp_multilabel_text_classification",),
    ),
    Task(
        "masked_language_modeling", "nlp", "masked_language_modeling",
        "wikipedia_bookcorpus", None,
        ("mlm", "nlp_masked_language_modeling"),
    ),
    Task(
        "text_generation", "nlg", "text_generation", None, None,
        ("nlp_text_generation", "nlg_text_generation"),
    ),
)  # fmt: skip


def _fold(text: str) -> str:
    return text.strip().lower().replace("-", "_")


_BY_NAME = {name: task for task in TASKS for name in (task.name, *task.aliases)}
_BY_PLACE = {(task.domain, task.sub_domain): task for task in TASKS}


def task_of(domain: str | None, sub_domain: str | None) -> Task | None:
    """Return the task whose models stand at a catalog domain and sub-domain."""
    return _BY_PLACE.get((domain or "", sub_domain or ""))


def closest_tasks(text: str, likeness: float = 0.6) -> list[str]:
    """Return the names of the tasks that a text is most like, at least so much of 1."""
    from difflib import get_close_matches

    close = get_close_matches(_fold(text), _BY_NAME, n=3, cutoff=likeness)
    return list(dict.fromkeys(_BY_NAME[name].name for name in close))


def _all_tasks() -> str:
    return "tasks: " + ", ".join(task.name for task in TASKS)


def _closest(text: str) -> str:
    if ":" in text or "/" in text:
        return "is it a stub? `zooselect show STUB` and `zooselect download STUB` take one"
    names = closest_tasks(text)
    return f"did you mean {' or '.join(names)}?" if names else _all_tasks()
