"""What selection promises of every catalog, one property a test, on random catalogs."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

import zooselect
from tests.examples import examples
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.parse import parse_models
from zooselect.selection.selection import Selection

from .catalogs import (
    EDGES,
    INSIDE,
    PROVENANCE,
    SIZES,
    answer,
    catalog_of,
    levels,
    options,
    parsed,
    questions,
    records,
    tasks,
)
from .reference import (
    TASKS,
    Record,
    choose_dataset,
    dense_size,
    downstream_dataset,
    passes_filters,
    records_of_task,
    reference_resolve,
)

Case = tuple[list[Record], str, dict[str, Any]]


def promise(count: int = 60):
    return settings(
        max_examples=examples(count),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def in_scope(models: list[Record], task: str, given_options: dict[str, Any]) -> list[Record]:
    """The records of the task, the data set and the user's filters, low confidence or not."""
    of_task = records_of_task(models, task)
    used, _ = choose_dataset(of_task, task, given_options["dataset"])
    return [
        record
        for record in of_task
        if (used is None or downstream_dataset(record) == used)
        and passes_filters(
            record,
            given_options["architecture"],
            given_options["framework"],
            given_options["repo"],
            include_unverified=True,
        )
    ]


def size_of(models: list[Record], record: Record, used: str | None) -> float | None:
    same = [r for r in models if used is None or downstream_dataset(r) == used]
    return dense_size(record, SIZES, same)


def outcome(models: list[Record], task: str, level: float, given_options: dict[str, Any]):
    """The selection, or else the error; anything else that is raised goes through."""
    catalog = Catalog.from_records(parse_models(models).records, PROVENANCE)
    try:
        return zooselect.resolve(task, level, catalog=catalog, **given_options), None
    except zooselect.NoCandidateError as error:
        return None, error


def without_provenance(selection: Selection) -> dict[str, Any]:
    return {**selection.to_dict(), "provenance": None}


@promise()
@given(questions(), levels())
def test_total(case: Case, level: float):
    """A stub of the catalog or NoCandidateError, and nothing else."""
    models, task, given_options = case
    selection, error = outcome(models, task, level, given_options)
    if selection is not None:
        event("a stub")
        assert isinstance(selection.stub, str)
        assert str(selection) == selection.stub
        assert selection.stub in repr(selection)
        assert selection.stub in selection.explain()
        return
    event("no candidate")
    assert error.message
    assert "\n" not in error.message + error.hint
    assert error.exit_code == 3
    assert {stub for stub, _ in error.nearest} <= {record["stub"] for record in models}


@promise(200)
@given(questions(), levels())
def test_agrees_with_the_reference(case: Case, level: float):
    models, task, given_options = case
    for one in (*INSIDE, level):
        agree(models, task, one, given_options)


def agree(models: list[Record], task: str, level: float, given_options: dict[str, Any]):
    wanted = reference_resolve(models, SIZES, task, level, **given_options)
    selection = answer(models, task, level, **given_options)
    if wanted is None:
        event("no candidate")
        assert selection is None
        return
    assert selection is not None
    event("exact" if wanted["exact"] else f"{wanted['wanted']} -> {wanted['got']}")
    event(f"transfer {wanted['transfer']}")
    assert selection.stub == wanted["stub"]
    assert selection.exact == wanted["exact"]
    assert (selection.fallback is None) == selection.exact
    if selection.fallback is not None:
        assert selection.fallback.wanted == wanted["wanted"]
        assert selection.fallback.got == wanted["got"]
    assert selection.model is not None
    assert selection.model.optimization == wanted["got"]
    assert selection.band.optimization == wanted["wanted"]
    assert selection.dataset is not None
    assert selection.dataset.requested == given_options["dataset"]
    assert selection.dataset.used == wanted["dataset_used"]
    assert selection.dataset.transfer == wanted["transfer"]
    assert selection.dense_millions == wanted["picked_millions"]
    (of_tier,) = (one for one in selection.size_classes if selection.band.tier in one["tiers"])
    assert of_tier["largest_millions"] == wanted["class_largest_millions"]
    assert of_tier["smallest_millions"] == wanted["class_smallest_millions"]


@promise()
@given(questions())
def test_exact_at_the_edges(case: Case):
    """Each edge and the floats beside it mean what the inside of their band means."""
    models, task, given_options = case
    inside = {}
    for level in INSIDE:
        wanted = reference_resolve(models, SIZES, task, level, **given_options)
        inside[EDGES.get(level) or _meaning(level)] = wanted and wanted["stub"]
    for level, meaning in EDGES.items():
        found = answer(models, task, level, **given_options)
        assert (found and found.stub) == inside[meaning], level
        if found is not None:
            assert (found.band.tier, found.band.optimization) == meaning
            assert found.optim_level == level
            assert found.band.holds(level)


def _meaning(level: float) -> tuple[str, str]:
    return EDGES[max(edge for edge in EDGES if edge <= level)]


@promise()
@given(questions(), st.lists(levels(), max_size=3))
def test_size_never_rises_with_the_level(case: Case, more: list[float]):
    """The size class never rises with the level, unless base fell back downwards."""
    models, task, given_options = case
    found = []
    for level in sorted({*INSIDE, *more}):
        selection = answer(models, task, level, **given_options)
        if selection is None:
            continue
        size = selection.dense_millions
        assert size is not None
        largest = selection.size_classes[0]["smallest_millions"]
        if level == 0.0 and selection.fallback is not None and size < largest:
            event("base fell back downwards")
            continue
        found.append((size, selection.size_classes))
    for (size, classes), (next_size, _) in pairwise(found):
        same_class = any(
            one["smallest_millions"] <= min(size, next_size)
            and max(size, next_size) <= one["largest_millions"]
            for one in classes
        )
        assert same_class or size > next_size


@promise()
@given(st.data(), questions(), levels())
def test_independent_of_record_order(data: st.DataObject, case: Case, level: float):
    models, task, given_options = case
    if models:
        # The same stub a second time: the order must not decide which record stays.
        again = data.draw(st.lists(st.sampled_from(models), max_size=2), label="again")
        models = models + [{**one, "sparsity_percent": 42} for one in again]
    shuffled = data.draw(st.permutations(models), label="shuffled")
    told = []
    for ordered in (models, shuffled):
        selection, error = outcome(ordered, task, level, given_options)
        told.append(
            without_provenance(selection)
            if selection is not None
            else (error.message, error.hint, error.nearest)
        )
    assert told[0] == told[1]


@promise()
@given(st.data(), questions(), levels())
def test_other_tasks_and_datasets_change_nothing(data: st.DataObject, case: Case, level: float):
    models, task, given_options = case
    used, _ = choose_dataset(records_of_task(models, task), task, given_options["dataset"])
    others = st.sampled_from([name for name in sorted(TASKS) if name != task]).flatmap(records)
    if used is not None:
        # Not the user's own data set either: such a record would make it one on record.
        kept = [
            name
            for name in ("voc", "cifar10", "voc_coco", "pascal_coco")
            if downstream_dataset({"source_dataset": name}) not in {used, given_options["dataset"]}
        ]
        others |= records(task, kept)
    known = {record["stub"] for record in models}
    added = [
        record
        for record in data.draw(
            st.lists(others, max_size=8, unique_by=lambda record: record["stub"]), label="added"
        )
        if record["stub"] not in known
    ]
    alone = [
        record
        for record in records_of_task(models, task)
        if used is None or downstream_dataset(record) == used
    ]
    answers = [
        answer(some, task, level, **given_options) for some in (models, models + added, alone)
    ]
    whole, with_added, without = (one and without_provenance(one) for one in answers)
    assert with_added == whole
    assert without == whole


@promise()
@given(questions(), levels())
def test_the_answer_is_a_record_of_the_catalog(case: Case, level: float):
    models, task, given_options = case
    selection = answer(models, task, level, **given_options)
    assume(selection is not None)
    (picked,) = (record for record in parsed(models) if record.stub == selection.stub)
    assert selection.model == picked
    (plain_record,) = (record for record in models if record["stub"] == selection.stub)
    assert selection.to_dict()["model"] == plain_record
    scope = in_scope(models, task, given_options)
    assert selection.stub in {record["stub"] for record in scope}
    assert plain_record["optimization"] != "other"
    assert given_options["include_unverified"] or plain_record.get("confidence") != "low"


@promise()
@given(questions(), levels())
def test_strict_answers_are_exact(case: Case, level: float):
    models, task, given_options = case
    strict = answer(models, task, level, **{**given_options, "strict": True})
    lenient = answer(models, task, level, **{**given_options, "strict": False})
    if strict is not None:
        assert strict.exact
        assert strict.fallback is None
        assert lenient is not None
        assert strict.stub == lenient.stub
    else:
        assert lenient is None or not lenient.exact


@promise()
@given(questions(), levels())
def test_what_is_excluded(case: Case, level: float):
    """Excluded is what is of low confidence, other, or of unknown size: just that."""
    models, task, given_options = case
    selection = answer(models, task, level, **given_options)
    assume(selection is not None)
    wanted = {}
    for record in in_scope(models, task, given_options):
        if record["optimization"] == "other":
            wanted[record["stub"]] = "other"
        elif size_of(records_of_task(models, task), record, selection.dataset.used) is None:
            wanted[record["stub"]] = "unranked"
        elif record.get("confidence") == "low" and not given_options["include_unverified"]:
            wanted[record["stub"]] = "unverified"
    assert [stub for stub, _ in selection.excluded] == sorted(wanted)
    for stub, reason in selection.excluded:
        event(wanted[stub])
        assert reason.startswith(wanted[stub])


@promise()
@given(questions(), levels())
def test_alternatives_are_the_rest_of_the_size_class(case: Case, level: float):
    models, task, given_options = case
    selection = answer(models, task, level, **given_options)
    assume(selection is not None)
    (of_tier,) = (one for one in selection.size_classes if selection.band.tier in one["tiers"])
    excluded = {stub for stub, _ in selection.excluded}
    of_class = set()
    for record in in_scope(models, task, given_options):
        size = size_of(records_of_task(models, task), record, selection.dataset.used)
        if record["stub"] in excluded or size is None:
            continue
        if of_tier["smallest_millions"] <= size <= of_tier["largest_millions"]:
            of_class.add(record["stub"])
    named = [stub for stub, _ in selection.alternatives]
    assert len(named) == len(set(named))
    assert selection.stub not in named
    assert of_class <= {selection.stub, *named}
    assert all(why for _, why in selection.alternatives)


@promise()
@given(questions())
def test_neighbours_are_the_answers_of_the_bands_beside(case: Case):
    models, task, given_options = case
    catalog = catalog_of(models)
    try:
        axis = zooselect.levels(task, catalog=catalog, **given_options)
    except zooselect.NoCandidateError:
        for level in INSIDE:
            assert answer(models, task, level, **given_options) is None
        return
    stubs = [answer(models, task, level, **given_options) for level in INSIDE]
    stubs = [one and one.stub for one in stubs]
    assert [one.selection and one.selection.stub for one in axis] == stubs
    for index, one in enumerate(axis):
        if one.selection is not None:
            assert one.selection.neighbours == {
                "lower": stubs[index - 1] if index else None,
                "higher": stubs[index + 1] if index + 1 < len(stubs) else None,
            }
        else:
            assert one.reason


RESOLVE_KEYS = {
    "schema": int,
    "policy": int,
    "mode": str,
    "task": str,
    "optim_level": float,
    "band": dict,
    "stub": str,
    "model": dict,
    "exact": bool,
    "fallback": (dict, type(None)),
    "dataset": dict,
    "size_classes": list,
    "alternatives": list,
    "neighbours": dict,
    "excluded": list,
    "recipe_stub": (str, type(None)),
    "provenance": dict,
}


@promise()
@given(questions(), levels(), st.sampled_from(["sparse-transfer", "one-shot", "training-aware"]))
def test_to_dict_is_json_with_every_key(case: Case, level: float, mode: str):
    models, task, given_options = case
    found = answer(models, task, level, mode=mode, **given_options)
    assume(found is not None)
    written = found.to_dict()
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    for key, kind in RESOLVE_KEYS.items():
        assert isinstance(written[key], kind), key
    assert written["schema"] == 1
    assert written["policy"] == 1
    assert written["mode"] == mode
    assert written["task"] == task
    assert written["optim_level"] == level
    assert written["band"].keys() == {
        "lower", "upper", "lower_inclusive", "upper_inclusive", "tier", "optimization",
    }  # fmt: skip
    assert written["exact"] == (written["fallback"] is None)
    if written["fallback"] is not None:
        assert written["fallback"].keys() == {"wanted", "got", "reason"}
        assert all(written["fallback"].values())
    assert written["dataset"].keys() == {"requested", "used", "transfer"}
    tiers = []
    for one in written["size_classes"]:
        assert one.keys() == {"tiers", "largest_millions", "smallest_millions"}
        tiers += one["tiers"]
    assert tiers == ["largest", "medium", "smallest"]
    assert all(one.keys() == {"stub", "why_not"} for one in written["alternatives"])
    assert written["neighbours"].keys() == {"lower", "higher"}
    assert all(one.keys() == {"stub", "reason"} for one in written["excluded"])
    assert written["provenance"].keys() >= {
        "source", "location", "compiled", "digest", "from_cache",
    }  # fmt: skip
    sparse_transfer = mode == "sparse-transfer"
    assert (written["band"]["tier"] is None) == (not sparse_transfer)
    assert (written["band"]["optimization"] is None) == (not sparse_transfer)
    assert ("plan" in written) == (not sparse_transfer)


@promise()
@given(questions(), levels())
def test_the_explanation_fits(case: Case, level: float):
    """80 columns, but for lines that hold a stub; and nothing the JSON says is kept back."""
    models, task, given_options = case
    selection = answer(models, task, level, **given_options)
    assume(selection is not None)
    text = selection.explain()
    wide = [line for line in text.splitlines() if len(line) > 80 and "zoo:" not in line]
    assert wide == []
    assert selection.stub in text
    assert str(selection.band) in text
    if selection.fallback is not None:
        assert "fallback" in text
    for stub in selection.neighbours.values():
        assert stub is None or stub in text


@promise()
@given(st.data(), tasks())
def test_a_question_asked_twice_has_one_answer(data: st.DataObject, task: str):
    """What the catalog remembers of other questions never changes an answer."""
    models = data.draw(st.lists(records(task), max_size=10, unique_by=lambda one: one["stub"]))
    catalog = catalog_of(models)
    asked = data.draw(st.lists(st.tuples(options(task), levels()), min_size=1, max_size=4))
    for given_options, level in asked * 2:
        fresh = answer(models, task, level, **given_options)
        if fresh is None:
            with pytest.raises(zooselect.NoCandidateError):
                zooselect.resolve(task, level, catalog=catalog, **given_options)
        else:
            again = zooselect.resolve(task, level, catalog=catalog, **given_options)
            assert again.to_dict() == fresh.to_dict()
