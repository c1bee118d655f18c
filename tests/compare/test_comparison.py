"""Comparisons of small catalogs by hand, and of the embedded one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.selection.catalogs import catalog_of, plain
from zooselect import Catalog, NoCandidateError, UsageError, resolve
from zooselect.compare.comparison import compare
from zooselect.compare.limits import OBJECTIVES, Limits
from zooselect.selection.question import Question
from zooselect.task import TASKS, Task

IC = Question(Task.parse("ic"))


def result(value, dataset="imagenet", metric="top1_accuracy", **more):
    return {"metric": metric, "value": value, "units": "%", "dataset": dataset, **more}


def compared(models, limits=None, question=IC, **options):
    return compare(catalog_of(models), question, limits, **options)


def by_tag(found):
    return {row.record.sparse_tag: row for row in found.rows}


BASE = plain("base-none", results=[result(80.0)])
PRUNED = plain("pruned90-none", sparsity=90, results=[result(78.0)], compressed_size_bytes=5000)
BOTH = plain("pruned95_quant-none", sparsity=95, results=[result(72.0)], compressed_size_bytes=900)
WORSE = plain("pruned80_quant-none", sparsity=80, results=[result(71.0)],
              compressed_size_bytes=1200)  # fmt: skip
UNKNOWN = plain("pruned-conservative")
ALL = [BASE, PRUNED, BOTH, WORSE, UNKNOWN]


def test_front_dominated_and_not_compared():
    rows = by_tag(compared(ALL))
    assert {tag for tag, row in rows.items() if row.on_front} == {
        "base-none", "pruned90-none", "pruned95_quant-none",
    }  # fmt: skip
    assert rows["pruned80_quant-none"].dominated_by == (BOTH["stub"],)
    unknown = rows["pruned-conservative"]
    assert (unknown.compared, unknown.on_front, unknown.sparsity_percent) == (False, False, None)
    assert unknown.dominated_by == ()
    assert rows["base-none"].sparsity_percent == 0


def test_the_front_without_what_cannot_be_compared():
    assert {row.record.sparse_tag for row in compared(ALL).front} == {
        "base-none", "pruned90-none", "pruned95_quant-none",
    }  # fmt: skip
    alone = compared([UNKNOWN, plain()])
    assert len(alone.front) == 2
    assert alone.metric_dataset is None


def test_recovery_is_relative_to_the_base_model_of_the_network():
    other = plain("base-none", "bar", results=[result(90.0)])
    rows = by_tag(compared([*ALL, other]))
    assert rows["pruned90-none"].recovery == pytest.approx(78 / 80)
    assert rows["pruned-conservative"].recovery is None
    assert by_tag(compared([PRUNED, other]))["pruned90-none"].recovery is None


def test_quality_on_one_data_set_alone():
    models = [
        BASE, PRUNED,
        plain("pruned95-none", sparsity=95, results=[result(99.0, "other")]),
        plain("pruned96-none", sparsity=96, results=[result(99.0, suspect="typo")]),
        plain("pruned97-none", sparsity=97, results=[result(99.0, metric="top5_accuracy")]),
    ]  # fmt: skip
    found = compared(models)
    rows = by_tag(found)
    assert found.metric_dataset == "imagenet"
    assert [tag for tag, row in rows.items() if row.quality == 99] == []
    assert found.elsewhere == (models[2]["stub"],)
    assert [tag for tag, row in rows.items() if row.elsewhere] == ["pruned95-none"]
    top5 = compared(models, metric="top5_accuracy")
    assert [row.record.sparse_tag for row in top5.rows if row.compared] == ["pruned97-none"]


def test_two_names_of_one_data_set_are_compared():
    """`squad` is SQuAD 1.1, and 2.0 is another; what a record says stays as it is."""
    names = ["squad v1.1", "squad", "squad v2.0", None]
    models = [
        {
            "stub": f"zoo:nlp/question_answering/foo/x/y/squad/pruned{80 + number}-none",
            "parameters_millions": 10.0, "confidence": "high",
            "results": [result(90.0 - number, name, "F1")],
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    for order in (models, models[::-1]):
        found = compared(order, question=Question(Task.parse("qa")))
        qualities = {tag: row.quality for tag, row in by_tag(found).items()}
        assert qualities == {
            "pruned80-none": 90.0, "pruned81-none": 89.0, "pruned82-none": None,
            "pruned83-none": 87.0,
        }  # fmt: skip
        assert (found.metric_dataset, found.elsewhere) == ("squad", (models[2]["stub"],))
    rows = by_tag(found)
    assert rows["pruned80-none"].record.results[0].dataset == "squad v1.1"


def test_the_default_pick_of_question_answering_is_compared():
    catalog = Catalog.embedded()
    found = compare(catalog, Question(Task.parse("qa")))
    answer = resolve("qa", catalog=catalog)
    assert next(row for row in found.rows if row.stub == answer.stub).quality == answer.quality


def test_a_result_that_names_no_data_set_is_on_the_models_own():
    own = {"metric": "top1_accuracy", "value": 79.0, "units": "%"}
    found = compared([BASE, plain("pruned90-none", sparsity=90, results=[own])])
    assert by_tag(found)["pruned90-none"].quality == 79.0


def test_two_names_of_one_model_are_one_row():
    twin = plain("pruned90", version=2, stub_v1=PRUNED["stub"], results=[result(78.5)])
    found = compared([BASE, PRUNED, twin])
    assert len(found.rows) == 2
    row = by_tag(found)["pruned90-none"]
    assert (row.aliases, row.quality) == ((twin["stub"],), 78.5)


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"max_bytes": 900}, ["pruned95_quant-none"]),
        ({"max_bytes": 899, "keep_unknown": True}, ["base-none", "pruned-conservative"]),
        ({"min_quality": 78}, ["base-none", "pruned90-none"]),
        ({"min_recovery": 0.99}, ["base-none"]),
        ({"min_recovery": 0.975}, ["base-none", "pruned90-none"]),
        ({"max_millions": 10}, [model["sparse_tag"] for model in ALL]),
    ],
)
def test_limits(limits, left):
    found = compared(ALL, Limits(**limits))
    assert sorted(by_tag(found)) == sorted(left)
    assert len(found.rows) + len(found.left_out) == len(ALL)


def test_the_front_is_that_of_what_is_left():
    rows = by_tag(compared(ALL, Limits(min_quality=71, max_bytes=2000)))
    assert rows["pruned80_quant-none"].dominated_by == (BOTH["stub"],)
    without = [model for model in ALL if model is not BOTH]
    assert by_tag(compared(without))["pruned80_quant-none"].on_front


def test_uncompressed_bytes_where_no_others_are_known():
    models = [BASE, plain("base_quant-none", onnx_size_bytes=700)]
    assert list(by_tag(compared(models, Limits(max_bytes=700)))) == ["base_quant-none"]


def test_nothing_within_the_limits():
    with pytest.raises(NoCandidateError, match="none of the 5") as error:
        compared(ALL, Limits(max_millions=9.9))
    assert len(error.value.nearest) == 3
    # The nearest comes first, and what is not known last.
    with pytest.raises(NoCandidateError, match=r"nearest: .*/base-none: quality 80 below 81"):
        compared(ALL, Limits(min_quality=81))
    with pytest.raises(NoCandidateError, match=r"nearest: .*95_quant-none: bytes") as error:
        compared([UNKNOWN, BOTH], Limits(max_bytes=800))
    heavy = plain("base_quant-none", onnx_size_bytes=11_000_000)
    with pytest.raises(NoCandidateError, match="bytes 11,000,000 above 1,000,000"):
        compared([heavy], Limits(max_bytes=1_000_000))
    assert "not on record" in error.value.nearest[-1][1]


@pytest.mark.parametrize(
    "limits",
    [
        {"min_quality": 101},
        {"min_recovery": 99},
        {"min_quality": -1},
        {"min_quality": 0.761},
        {"min_quality": 1},
    ],
)
def test_limits_no_model_can_have(limits):
    with pytest.raises(UsageError):
        Limits(**limits)


@pytest.mark.parametrize(
    "options", [{"objective": "speed"}, {"metric": "recall"}, {"throughput_on": "abacus"}]
)
def test_what_nothing_is_on_record_of(options):
    with pytest.raises(UsageError):
        compared(ALL, **options)


def test_objectives():
    fast = [
        {**model, "throughput": [{"value": speed, "device": "D", "cores": 1, "batch_size": 1}]}
        for model, speed in ((BASE, 5), (PRUNED, 9))
    ]
    small = plain("base-none", "bar", millions=2.0, results=[result(50.0)])
    models = [*fast, BOTH, small, UNKNOWN]

    def best(objective):
        return compared(models, objective=objective).best.stub

    assert best("quality") == BASE["stub"]
    assert best("size") == small["stub"]
    assert best("throughput") == PRUNED["stub"]
    assert compared(models).best is None
    assert compared(ALL, objective="throughput").best is None


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_embedded_catalog(task):
    catalog = Catalog.embedded()
    found = compare(catalog, Question(task))
    names = [name for row in found.rows for name in (row.stub, *row.aliases)]
    assert len(names) == len(set(names))
    for (band, stub), row in ((pick, row) for pick in found.picks for row in found.rows):
        if stub in (row.stub, *row.aliases):
            assert band in row.bands
    for band, stub in found.picks:
        try:
            assert resolve(task.name, band.representative, catalog=catalog).stub == stub
        except NoCandidateError:
            assert stub is None


QUALITIES = st.none() | st.sampled_from([60.0, 70.0, 75.0])
MODELS = st.lists(
    st.builds(
        plain,
        st.sampled_from(["base-none", "base_quant-none", "pruned90-none", "pruned_quant-none"]),
        st.sampled_from(["foo", "bar", "resnet_v1"]),
        st.sampled_from([None, "18", "50"]),
        quality=QUALITIES,
        millions=st.sampled_from([5.0, 10.0]),
        sparsity=st.none() | st.sampled_from([80, 90]),
        compressed_size_bytes=st.none() | st.sampled_from([100, 200]),
        confidence=st.sampled_from(["high", "low"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda model: model["stub"],
)


@given(MODELS, st.randoms(use_true_random=False), st.sampled_from([None, *OBJECTIVES]))
def test_order_of_records_changes_nothing_and_the_best_is_on_the_front(models, random, objective):
    shuffled = random.sample(models, len(models))
    try:
        found = compared(models, objective=objective)
    except NoCandidateError:
        with pytest.raises(NoCandidateError):
            compared(shuffled, objective=objective)
        return
    assert found.to_dict() == compared(shuffled, objective=objective).to_dict()
    assert found.front
    assert found.best is None or not found.best.dominated_by
