"""The Python API: the same words and answers as the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from zooselect.catalog.asked import Asked, Source
from zooselect.catalog.catalog import Catalog
from zooselect.errors import NoCandidateError, UsageError
from zooselect.level import (
    BANDS,
    DEFAULT_LEVEL,
    ONE_SHOT,
    SPARSE_TRANSFER,
    Band,
    band_of,
    parse_level,
    parse_mode,
)  # fmt: skip
from zooselect.selection.question import Question
from zooselect.selection.selection import Selection, select, select_input
from zooselect.source import CatalogLike, open_catalog
from zooselect.task import Task

if TYPE_CHECKING:
    from zooselect.catalog.search import Filters, Found


class LevelBand(NamedTuple):
    """One band of the axis of levels, and what it comes to.

    Attributes:
        band: the interval of levels.
        selection: the answer; None when there is none.
        reason: why there is none.
    """

    band: Band
    selection: Selection | None
    reason: str | None = None


def resolve(
    task: str,
    optim_level: float = DEFAULT_LEVEL,
    mode: str = SPARSE_TRANSFER,
    *,
    catalog: CatalogLike = None,
    dataset: str | None = None,
    architecture: str | None = None,
    framework: str | None = None,
    repo: str | None = None,
    target: str | None = None,
    strict: bool = False,
    all_sizes: bool = False,
    include_unverified: bool = False,
    model: str | os.PathLike[str] | None = None,
    force: bool = False,
    layers: Iterable[str] | Mapping[str, Sequence[int]] | None = None,
    sparsity_scope: str = "layers",
) -> Selection:
    """Return what a task and an optim level come to.

    Args:
        task: name or alias of a task, e.g. `image_classification` or `ic`; for one-shot
            with a `model` any ASCII text.
        optim_level: 0.0 (largest, dense) to 1.0 (smallest, pruned and quantized).
        mode: `sparse-transfer` picks a model; `one-shot` and `training-aware` plan what
            to do to one.
        catalog: a catalog, a source of them, a path or URL of one, or None for what the
            environment says and else the embedded one; see `open_catalog`.
        dataset: the user's data set: one of the catalog's, or their own.
        architecture: keep models of this architecture (`resnet_v1`, `resnet_v1-50`).
        framework: keep models of this framework (`pytorch`, `keras`, …).
        repo: keep models of this repository (`sparseml`, `torchvision`, …).
        target: put models made for this hardware target first (`vnni`, `4block`).
        strict: raise rather than fall back to another optimization or size.
        all_sizes: take the tiers from every size on record.
        include_unverified: also pick models that may never have been published.
        model: the input model of the other two modes, a path or a stub. An ONNX file also
            tells its layers. Without it and `layers`: the medium tier's base model.
        force: take an input model that is already pruned or quantized.
        layers: the input model's layers: shapes by parameter name, in the model's order, or
            lines as `parse_layers` reads them.
        sparsity_scope: whether the level's sparsity is meant for each of the pruned
            `layers` or for the whole `model`.

    Raises:
        UsageError: unknown task or mode, a level outside 0.0 to 1.0, an input model that
            is already pruned or quantized, options of another mode.
        NoCandidateError: the catalog has no model to pick.
        NotFoundError: the catalog does not have the input model.
        LocalFileError, IntegrityError: a file cannot be used.
        OfflineError, NetworkError: a server is to be asked, and nothing answers.
    """
    level = parse_level(optim_level)
    mode = parse_mode(mode)
    own_model = model is not None or layers is not None
    own_task = mode == ONE_SHOT and own_model and Task.find(task) is None
    if own_task:
        name = _own_name(task)
    else:
        question = Question(
            _task(task, mode), dataset, architecture, framework, repo, target, strict, all_sizes,
            include_unverified,
        )  # fmt: skip
        name = question.task.name
    source = open_catalog(catalog)
    if mode == SPARSE_TRANSFER:
        if model is not None or force or layers is not None or sparsity_scope != "layers":
            raise UsageError(
                "sparse transfer picks the model itself: no input model, layers or scope",
                hint="the modes one-shot and training-aware take them",
            )
        return select(_catalog_of(source, question.task), question, level)
    from zooselect.plan.input_model import input_model
    from zooselect.plan.plan import plan_for

    narrowed = (dataset, architecture, framework, repo, target)
    if own_model and (any(narrowed) or strict or all_sizes or include_unverified):
        raise UsageError(
            "an input model was named, and options that pick one",
            hint="leave out the one or the other",
        )
    given = input_model(source, model, force=force, layers=layers)
    plan = plan_for(mode, name, level, given.layers, sparsity_scope)
    answer = partial(Selection, mode, name, level, band_of(level, mode))
    if own_model:
        return answer(given.record, plan, given.provenance, None, None)
    opened = _catalog_of(source, question.task)
    ladder, pick = select_input(opened, question)
    return answer(pick.record, plan, opened.provenance, ladder, pick)


def _catalog_of(source: Source, task: Task) -> Catalog:
    return source.of(Asked(task.domain, task.sub_domain))


def _task(text: str, mode: str) -> Task:
    try:
        return Task.parse(text)
    except UsageError as error:
        if mode == ONE_SHOT:
            error.hint += "; a task of your own goes with a model of your own (--model)"
        raise


def _own_name(task: str) -> str:
    """A task of the user's own: one line of ASCII, as Sparsify took it."""
    name = task.strip() if isinstance(task, str) else ""
    if not name or not name.isascii() or not name.isprintable():
        raise UsageError(f"task {task!r} is not a line of ASCII text", hint="name it in ASCII")
    return name


def levels(
    task: str,
    *,
    catalog: CatalogLike = None,
    dataset: str | None = None,
    architecture: str | None = None,
    framework: str | None = None,
    repo: str | None = None,
    target: str | None = None,
    strict: bool = False,
    all_sizes: bool = False,
    include_unverified: bool = False,
) -> tuple[LevelBand, ...]:
    """Return the whole axis of sparse transfer, band by band from 0.0 to 1.0.

    Takes the options of `resolve`. A band without an answer says why; it is no error.

    Raises:
        UsageError: unknown task.
        NoCandidateError: not one band has an answer.
        LocalFileError, IntegrityError: the catalog file cannot be used.
        OfflineError, NetworkError: a server is to be asked, and nothing answers.
    """
    question = Question(
        Task.parse(task), dataset, architecture, framework, repo, target,
        strict, all_sizes, include_unverified,
    )  # fmt: skip
    opened = _catalog_of(open_catalog(catalog), question.task)
    axis = []
    for band in BANDS[SPARSE_TRANSFER]:
        try:
            axis.append(LevelBand(band, select(opened, question, band.representative)))
        except NoCandidateError as error:
            missing = error
            axis.append(LevelBand(band, None, error.message))
    if not any(one.selection for one in axis):
        raise missing
    return tuple(axis)


def search(
    task: str | None = None,
    filters: Filters | None = None,
    *,
    catalog: CatalogLike = None,
    sort: str = "stub",
    reverse: bool = False,
) -> list[Found]:
    """Return the models of a catalog that pass the filters, each model once.

    Args:
        task: name or alias of a task; None for all.
        filters: what to keep; see `Filters`.
        catalog: as in `resolve`.
        sort: `stub`, `size`, `quality`, `sparsity`, `optimization` or `confidence`.
        reverse: turn the order round; models without the value stay last.

    Raises:
        UsageError: unknown task or sort order.
        LocalFileError, IntegrityError: the catalog file cannot be used.
        OfflineError, NetworkError: a server is to be asked, and nothing answers.
    """
    from zooselect.catalog.search import search as search_catalog

    wanted = None if task is None else Task.parse(task)
    source = open_catalog(catalog)
    opened = source.of(Asked()) if wanted is None else _catalog_of(source, wanted)
    return search_catalog(opened, wanted, filters, sort=sort, reverse=reverse)
