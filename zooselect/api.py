"""The Python API: the same words and answers as the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from zooselect.catalog.catalog import Catalog
from zooselect.errors import NoCandidateError
from zooselect.level import (
    BANDS,
    DEFAULT_LEVEL,
    SPARSE_TRANSFER,
    Band,
    band_of,
    parse_level,
    parse_mode,
)  # fmt: skip
from zooselect.plan.plan import plan_for
from zooselect.selection.question import Question
from zooselect.selection.selection import Selection, select, select_input
from zooselect.settings import Settings
from zooselect.task import Task

if TYPE_CHECKING:
    from zooselect.catalog.search import Filters, Found

CatalogLike = Catalog | str | os.PathLike[str] | None


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


def open_catalog(catalog: CatalogLike = None) -> Catalog:
    """Return a catalog: the one given, a file's, the environment's, or the embedded one.

    Raises:
        LocalFileError: the file cannot be read.
        IntegrityError: it is no catalog, or holds not one usable record.
    """
    if isinstance(catalog, Catalog):
        return catalog
    path = catalog if catalog is not None else Settings.from_env().catalog
    return Catalog.embedded() if path is None else Catalog.from_file(path)


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
) -> Selection:
    """Return what a task and an optim level come to.

    Args:
        task: name or alias of a task, e.g. `image_classification` or `ic`.
        optim_level: 0.0 (largest, dense) to 1.0 (smallest, pruned and quantized).
        mode: `sparse-transfer` picks a model; `one-shot` and `training-aware` plan what
            to do to one.
        catalog: a catalog, a path of one, or None for `ZOOSELECT_CATALOG` and else the
            embedded one.
        dataset: the user's data set: one of the catalog's, or their own.
        architecture: keep models of this architecture (`resnet_v1`, `resnet_v1-50`).
        framework: keep models of this framework (`pytorch`, `keras`, …).
        repo: keep models of this repository (`sparseml`, `torchvision`, …).
        target: put models made for this hardware target first (`vnni`, `4block`).
        strict: raise rather than fall back to another optimization or size.
        all_sizes: take the tiers from every size on record.
        include_unverified: also pick models that may never have been published.

    Raises:
        UsageError: unknown task or mode, or a level outside 0.0 to 1.0.
        NoCandidateError: the catalog has no model to pick.
        LocalFileError, IntegrityError: the catalog file cannot be used.
    """
    level = parse_level(optim_level)
    mode = parse_mode(mode)
    question = Question(
        Task.parse(task), dataset, architecture, framework, repo, target,
        strict, all_sizes, include_unverified,
    )  # fmt: skip
    opened = open_catalog(catalog)
    if mode == SPARSE_TRANSFER:
        return select(opened, question, level)
    plan = plan_for(mode, level)
    ladder, pick = select_input(opened, question)
    return Selection(
        mode, question.task.name, level, band_of(level, mode), pick.record, plan,
        opened.provenance, ladder, pick,
    )  # fmt: skip


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
    """
    question = Question(
        Task.parse(task), dataset, architecture, framework, repo, target,
        strict, all_sizes, include_unverified,
    )  # fmt: skip
    opened = open_catalog(catalog)
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
    """
    from zooselect.catalog.search import search as search_catalog

    wanted = None if task is None else Task.parse(task)
    return search_catalog(open_catalog(catalog), wanted, filters, sort=sort, reverse=reverse)
