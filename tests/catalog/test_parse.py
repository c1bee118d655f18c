"""The parser: one bad field never loses a model, one bad model never loses the catalog."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zooselect.catalog import parse
from zooselect.catalog.parse import load_json, optimization_of, parse_document, parse_models
from zooselect.errors import IntegrityError
from zooselect.record import CONFIDENCES, OPTIMIZATIONS

V1 = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet-augmented/pruned95_quant-none"
V2 = "zoo:bert-base-squad_wikipedia_bookcorpus-pruned90_quantized"

FIELDS = (
    "domain", "sub_domain", "task", "architecture", "sub_architecture", "framework", "repo",
    "source_dataset", "training_scheme", "sparse_tag", "optimization", "sparsity_percent",
    "confidence", "results", "parameters_millions", "onnx_size_bytes", "compressed_size_bytes",
    "recipe_types", "ambiguous_alias", "probable_alias", "stub_v1", "stub_v2", "throughput",
    "sources", "evidence", "mentions", "unheard_of",
)  # fmt: skip
scalar = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 1e308, 5e-324]),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([*OPTIMIZATIONS, *CONFIDENCES, V1, V2, "zoo:", "\ud800", "\x1b[31m", "a b"]),
)
key = st.sampled_from(
    ["metric", "value", "units", "suspect", "dataset", "source", "stub", "candidates", "x"]
)
junk = st.recursive(
    scalar,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(key, inner, max_size=4)),
    max_leaves=12,
)
fields = st.dictionaries(st.sampled_from(FIELDS), junk, max_size=8)


def one(**item):
    """The record of one item, which must be usable, and the complaints about it."""
    parsed = parse_models([{"stub": V1, **item}])
    assert parsed.skipped == ()
    (record,) = parsed.records
    return record, [reason for _, reason in parsed.repaired]


def test_a_full_record():
    item = {
        "stub": V2,
        "domain": "nlp",
        "sub_domain": "question_answering",
        "architecture": "bert",
        "sub_architecture": "base",
        "source_dataset": "squad_wikipedia_bookcorpus",
        "sparse_tag": "pruned90_quantized",
        "optimization": "pruned_quantized",
        "sparsity_percent": 90,
        "confidence": "high",
        "parameters_millions": 109.48,
        "onnx_size_bytes": 1000,
        "compressed_size_bytes": 500.7,
        "recipe_types": ["transfer", "original"],
        "results": [
            {"metric": "F1", "value": 88, "units": "%", "dataset": "squad", "source": "a page"},
            {"metric": "F1", "value": 99.5, "suspect": "a slip"},
        ],
        "stub_v1": "zoo:a/b/c/d/e/f/g",
        "probable_alias": {"stub": "zoo:a-b-c-d", "reason": "same"},
        "ambiguous_alias": {"candidates": ["zoo:x-y-z", "no stub"]},
        "mentions": 3,
    }
    parsed = parse_models([item])
    assert parsed[1:] == ((), ())
    (record,) = parsed.records
    assert (record.stub, record.domain, record.sub_domain) == (V2, "nlp", "question_answering")
    assert (record.network, record.dataset) == ("bert-base", "squad")
    assert (record.optimization, record.sparsity_percent) == ("pruned_quantized", 90.0)
    assert record.confidence == "high"
    assert record.parameters_millions == 109.48
    assert (record.onnx_size_bytes, record.compressed_size_bytes) == (1000, 500)
    assert record.recipe_types == ("transfer", "original")
    assert record.aliases == ("zoo:a/b/c/d/e/f/g", "zoo:a-b-c-d")
    assert record.ambiguous_with == ("zoo:x-y-z",)
    assert [(one.metric, one.value, one.suspect) for one in record.results] == [
        ("F1", 88.0, None),
        ("F1", 99.5, "a slip"),
    ]
    assert record.quality("F1") == 88.0
    assert record.to_dict() == item


@pytest.mark.parametrize(
    ("stub", "expected"),
    [
        (V1, {"domain": "cv", "sub_domain": "classification", "architecture": "resnet_v1",
              "sub_architecture": "50", "framework": "pytorch", "repo": "sparseml",
              "source_dataset": "imagenet", "training_scheme": "augmented",
              "sparse_tag": "pruned95_quant-none", "optimization": "pruned_quantized"}),
        (V2, {"domain": None, "sub_domain": None, "architecture": "bert",
              "sub_architecture": "base", "framework": None, "repo": None,
              "source_dataset": "squad_wikipedia_bookcorpus", "dataset": "squad",
              "sparse_tag": "pruned90_quantized", "optimization": "pruned_quantized"}),
        (V1.removeprefix("zoo:"), {"stub": V1}),
    ],
)  # fmt: skip
def test_what_a_record_leaves_out_its_stub_states(stub, expected):
    record, complaints = one(stub=stub)
    assert complaints == []
    assert {name: getattr(record, name) for name in expected} == expected
    assert (record.confidence, record.sparsity_percent, record.results) == (None, None, ())


@pytest.mark.parametrize(
    ("tag", "optimization"),
    [
        ("base-none", "base"),
        ("base", "base"),
        ("base_quant-none", "quantized"),
        ("base_quantized", "quantized"),
        ("quantW8A8", "quantized"),
        ("pruned", "pruned"),
        ("pruned95-none", "pruned"),
        ("Pruned50_QuantW8A8-none", "pruned_quantized"),
        ("pruned80_quant-none-vnni", "pruned_quantized"),
        ("channel20_pruned75_quant-none-vnni", "pruned_quantized"),
        ("3layer_pruned90-none", "pruned"),
        ("arch-moderate", "other"),
        ("3layer_base-none", "other"),
    ],
)
def test_optimization_is_read_off_the_tag(tag, optimization):
    assert optimization_of(tag) == optimization


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        *((name, value) for name in ("architecture", "domain", "repo", "sparse_tag")
          for value in (5, "", "a b", "é", ["x"], {}, True)),
        ("optimization", "smaller"), ("optimization", []), ("confidence", "HIGH"),
        ("confidence", {}), ("sparsity_percent", 101), ("sparsity_percent", -1),
        ("sparsity_percent", "90"), ("sparsity_percent", True), ("sparsity_percent", float("nan")),
        ("parameters_millions", 0), ("parameters_millions", -1), ("parameters_millions", 10**400),
        ("parameters_millions", float("inf")), ("onnx_size_bytes", 0.5), ("onnx_size_bytes", "1"),
        ("compressed_size_bytes", -4), ("results", {}), ("results", "F1"), ("recipe_types", "a"),
        ("ambiguous_alias", []),
    ],
)  # fmt: skip
def test_a_bad_field_is_dropped_and_named(field, bad):
    record, complaints = one(**{field: bad})
    clean, _ = one()
    assert record == clean
    assert field not in record.to_dict()
    (complaint,) = complaints
    assert f"`{field}`" in complaint


@pytest.mark.parametrize("field", ["architecture", "confidence", "results", "sparsity_percent"])
def test_null_is_not_on_record(field):
    record, complaints = one(**{field: None})
    assert complaints == []
    assert record == one()[0]


@pytest.mark.parametrize(
    "bad",
    [
        5, None, "F1 88", [], {"metric": "F1"}, {"value": 88}, {"metric": "", "value": 88},
        {"metric": "F1", "value": "88"}, {"metric": "F1", "value": True},
        {"metric": "F1", "value": float("nan")}, {"metric": "F1", "value": 10**400},
        {"metric": ["F1"], "value": 88},
    ],
)  # fmt: skip
def test_a_bad_result_is_dropped_alone(bad):
    record, complaints = one(results=[bad, {"metric": "F1", "value": 88}])
    assert [result.value for result in record.results] == [88.0]
    assert len(complaints) == 1
    assert "result is unreadable" in complaints[0]


@pytest.mark.parametrize(
    ("suspect", "kept"),
    [(None, None), (False, None), ("", None), ("why", "why"), (True, "marked suspect")],
)
def test_suspect_results(suspect, kept):
    record, _ = one(results=[{"metric": "F1", "value": 88, "suspect": suspect}])
    assert record.results[0].suspect == kept


@pytest.mark.parametrize(
    ("item", "name", "reason"),
    [
        (5, "record 2", "not a JSON object"),
        (None, "record 2", "not a JSON object"),
        ([], "record 2", "not a JSON object"),
        ({}, "record 2", "no stub"),
        ({"stub": 5}, "record 2", "no stub"),
        ({"stub": ""}, "record 2", "is not a stub"),
        ({"stub": "zoo:what"}, "zoo:what", "is not a stub"),
        ({"stub": V2 + "?recipe=a"}, V2 + "?recipe=a", "no parameters"),
        ({"stub": V1}, V1, "second record under the same stub"),
        ({"stub": V1.removeprefix("zoo:")}, V1, "second record under the same stub"),
    ],
)
def test_a_bad_record_is_skipped_and_named(item, name, reason):
    parsed = parse_models([{"stub": V1}, item, {"stub": V2}])
    assert [record.stub for record in parsed.records] == [V1, V2]
    ((skipped, why),) = parsed.skipped
    assert skipped == name
    assert reason in why


@given(st.permutations([{"stub": V1, "confidence": word} for word in CONFIDENCES]))
def test_which_twin_stays_does_not_depend_on_order(items):
    parsed = parse_models(items)
    assert [record.confidence for record in parsed.records] == ["high"]
    assert len(parsed.skipped) == 2


@given(fields)
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.too_slow])
def test_no_field_loses_a_model(item):
    parsed = parse_models([{"stub": V1, **item}])
    assert parsed.skipped == ()
    (record,) = parsed.records
    assert record.stub == V1
    assert record.optimization in OPTIMIZATIONS
    assert record.confidence in (*CONFIDENCES, None)
    assert record.sparsity_percent is None or 0 <= record.sparsity_percent <= 100
    assert record.parameters_millions is None or 0 < record.parameters_millions < float("inf")
    for size in (record.onnx_size_bytes, record.compressed_size_bytes):
        assert size is None or (type(size) is int and size >= 1)
    for name in ("architecture", "source_dataset", "sparse_tag", "dataset"):
        assert getattr(record, name)
    for result in record.results:
        assert type(result.value) is float
        assert abs(result.value) < float("inf")
        assert result.metric.isprintable()
    assert V1 not in record.aliases
    assert all(reason.isprintable() for _, reason in parsed.repaired)


@given(st.lists(st.one_of(junk, fields, st.builds(dict, stub=junk)), max_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_item_loses_the_others(items):
    parsed = parse_models([*items, {"stub": "zoo:kept-in-all-cases"}])
    assert parsed.records[-1].stub == "zoo:kept-in-all-cases"
    # Every item is either used or named.
    assert len(parsed.records) + len(parsed.skipped) == len(items) + 1


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "is not a JSON object"),
        (5, "is not a JSON object"),
        ({}, "has schema None"),
        ({"schema": 2, "models": []}, "has schema 2; this version reads schema 1"),
        ({"schema": True, "models": []}, "has schema True"),
        ({"schema": "1", "models": []}, "has schema '1'"),
        ({"schema": 1}, "has no list `models`"),
        ({"schema": 1, "models": {}}, "has no list `models`"),
        ({"schema": 1, "models": [5]}, "has 1 records, none usable (record 1: not a JSON object)"),
    ],
)
def test_no_catalog(document, reason):
    with pytest.raises(IntegrityError) as caught:
        parse_document(document, "a.json")
    assert f"catalog a.json {reason}" in caught.value.message
    assert '"schema": 1' in caught.value.hint


@pytest.mark.parametrize(
    ("compiled", "kept"),
    [("2026-01-02", "2026-01-02"), (None, None), (5, None), ("", None), ("a\nb", "a b")],
)
def test_date(compiled, kept):
    parsed, date = parse_document({"schema": 1, "models": [], "compiled": compiled}, "a")
    assert date == kept
    assert parsed.records == ()


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"{", b"nothing", b"\xff\xfe", b"{}{}", b"[" * 100_000, b"\0"],
)
def test_not_json(content):
    with pytest.raises(IntegrityError, match=r"^catalog a\.json is not JSON: .") as caught:
        load_json(content, "a.json")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("digits", [b"1" * 5_000, b"-" + b"9" * 400])
def test_a_number_that_nothing_has_is_null(digits):
    assert load_json(b'{"a": [' + digits + b", 1]}", "a.json") == {"a": [None, 1]}


def test_too_much(monkeypatch):
    monkeypatch.setattr(parse, "_MOST_OBJECTS", 5)
    monkeypatch.setattr(parse, "MOST_MODELS", 2)
    assert load_json(b"[{},{},{},{}]", "a.json") == [{}] * 4
    with pytest.raises(IntegrityError, match="more than 5 objects"):
        load_json(b"[[],{},[],{},[]]", "a.json")
    models = [{"stub": V1}] * 3
    parse_document({"schema": 1, "models": models[1:]}, "a.json")
    with pytest.raises(IntegrityError, match="more than 2 models"):
        parse_document({"schema": 1, "models": models}, "a.json")


def test_of_one_record_few_problems_are_named():
    parsed = parse_models([{"stub": V1, "results": [{}] * 1000}, {"stub": V1, "results": [1]}])
    assert len(parsed.repaired) == 22
    assert parsed.repaired[20] == (V1, "and 980 more")


def test_a_byte_order_mark_is_no_harm():
    assert load_json(b'\xef\xbb\xbf{"a": 1}', "a") == {"a": 1}


@pytest.mark.parametrize("depth", [10, 500, *range(900, 1000, 5), 2_000, 20_000])
def test_deep_nesting(depth):
    text = '{"schema":1,"models":[{"stub":"zoo:a-b-c","results":%s}]}'
    content = (text % ("[" * depth + "]" * depth)).encode()
    try:
        parsed, _ = parse_document(load_json(content, "a"), "a")
    except IntegrityError:
        return
    (record,) = parsed.records
    assert record.results == ()
    assert json.dumps(record.to_dict())
