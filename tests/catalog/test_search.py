"""Search: patterns, ranges, order."""

import pytest

from zooselect import Catalog, Filters, UsageError
from zooselect.catalog.parse import parse_models
from zooselect.catalog.provenance import Provenance
from zooselect.catalog.search import FIELDS, SORTS, search
from zooselect.task import Task

R = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/"
MODELS = [
    {"stub": R + "base-none", "confidence": "high",
     "results": [{"metric": "top1_accuracy", "value": 76.1, "units": "%"}]},
    {"stub": R + "pruned90-none", "confidence": "high", "sparsity_percent": 90,
     "probable_alias": {"stub": "zoo:resnet_v1-50-imagenet-pruned90"}},
    {"stub": R + "pruned95_quant-none", "confidence": "medium", "sparsity_percent": 95,
     "results": [{"metric": "top1_accuracy", "value": 0.75, "units": "(0-1)"},
                 {"metric": "top1_accuracy", "value": 99, "suspect": "a slip"}]},
    {"stub": "zoo:resnet_v1-50-imagenet-pruned90", "domain": "cv", "sub_domain": "classification",
     "probable_alias": {"stub": R + "pruned90-none"}, "confidence": "low",
     "results": [{"metric": "top1_accuracy", "value": 75.9, "units": "%"}]},
    {"stub": "zoo:cv/classification/mobilenet_v1-1.0/keras/torchvision/imagenet-aug/base-none"},
    {"stub": "zoo:cv/classification/new-s/pytorch/sparseml/imagenet/base-none"},
    {"stub": "zoo:bert-base-squad_wikipedia_bookcorpus-pruned80", "domain": "nlp",
     "sub_domain": "question_answering", "sparsity_percent": 80, "confidence": "high",
     "results": [{"metric": "F1", "value": 88.5, "units": "%"}]},
    {"stub": "zoo:nlp/nothing/x/pytorch/hf/d/base-none"},
]  # fmt: skip
BASE, PRUNED, QUANT = (R + tag for tag in ("base-none", "pruned90-none", "pruned95_quant-none"))
MOBILE, NEW, BERT, ODD = (MODELS[index]["stub"] for index in (4, 5, 6, 7))


@pytest.fixture(scope="module")
def catalog():
    parsed = parse_models(MODELS)
    assert parsed[1:] == ((), ())
    return Catalog.from_records(parsed.records, Provenance("file", "here", "sha256:0"))


def stubs(catalog, task=None, sort="stub", reverse=False, **filters):
    wanted = Task.parse(task) if task else None
    found = search(catalog, wanted, Filters(**filters), sort=sort, reverse=reverse)
    return [one.record.stub for one in found]


def test_everything_once_in_order(catalog):
    found = stubs(catalog)
    assert found == sorted([BASE, PRUNED, QUANT, MOBILE, NEW, BERT, ODD])


def test_by_task(catalog):
    assert stubs(catalog, "qa") == [BERT]
    assert stubs(catalog, "ic") == sorted([BASE, PRUNED, QUANT, MOBILE, NEW])
    assert stubs(catalog, "mlm") == []


@pytest.mark.parametrize(
    ("field", "pattern", "expected"),
    [
        ("stub", "*", [BASE, PRUNED, QUANT, MOBILE, NEW, BERT, ODD]),
        ("stub", PRUNED, [PRUNED]),
        ("stub", "zoo:resnet*pruned90", [PRUNED]),
        ("stub", "*pruned*", [PRUNED, QUANT, BERT]),
        ("stub", "*.*", [MOBILE]),
        ("stub", "zoo:cv/classification/resnet_v1-50", []),
        ("domain", "nlp", [BERT, ODD]),
        ("domain", "n*", [BERT, ODD]),
        ("domain", "NLP", []),
        ("sub_domain", "class*", [BASE, PRUNED, QUANT, MOBILE, NEW]),
        ("architecture", "resnet_v1", [BASE, PRUNED, QUANT]),
        ("architecture", "resnet_v1-50", [BASE, PRUNED, QUANT]),
        ("architecture", "resnet", []),
        ("architecture", "*e*", [BASE, PRUNED, QUANT, MOBILE, NEW, BERT]),
        ("sub_architecture", "1.0", [MOBILE]),
        ("sub_architecture", "1?0", []),
        ("sub_architecture", "*", [BASE, PRUNED, QUANT, MOBILE, NEW, BERT]),
        ("framework", "keras", [MOBILE]),
        ("repo", "*vision", [MOBILE]),
        ("dataset", "squad", [BERT]),
        ("dataset", "squad_wikipedia_bookcorpus", [BERT]),
        ("training_scheme", "aug", [MOBILE]),
        ("sparse_tag", "pruned9*", [PRUNED, QUANT]),
        ("sparse_tag", "*-none", [BASE, PRUNED, QUANT, MOBILE, NEW, ODD]),
    ],
)
def test_patterns(catalog, field, pattern, expected):
    assert stubs(catalog, patterns={field: pattern}) == sorted(expected)


def test_every_stub_field_takes_a_pattern():
    assert set(FIELDS) == {
        "stub", "domain", "sub_domain", "architecture", "sub_architecture", "framework", "repo",
        "dataset", "training_scheme", "sparse_tag",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"optimizations": ("pruned",)}, [PRUNED, BERT]),
        ({"optimizations": ("pruned", "pruned_quantized")}, [PRUNED, QUANT, BERT]),
        ({"confidences": ("high",)}, [BASE, PRUNED, BERT]),
        ({"confidences": ("medium", "low")}, [QUANT]),
        ({"min_sparsity": 90}, [PRUNED, QUANT]),
        ({"min_sparsity": 90.5}, [QUANT]),
        ({"min_sparsity": 0}, [BASE, PRUNED, QUANT, MOBILE, NEW, BERT, ODD]),
        ({"quality_known": True}, [BASE, PRUNED, QUANT, BERT]),
        ({"min_millions": 25.56}, [BASE, PRUNED, QUANT, BERT]),
        ({"max_millions": 25.56}, [BASE, PRUNED, QUANT, MOBILE]),
        ({"min_millions": 5, "max_millions": 100}, [BASE, PRUNED, QUANT]),
        ({"min_millions": 1000}, []),
        ({"patterns": {"domain": "cv"}, "min_sparsity": 90, "quality_known": True},
         [PRUNED, QUANT]),
        ({"patterns": {"domain": "nlp", "framework": "keras"}}, []),
    ],
)  # fmt: skip
def test_filters_all_hold(catalog, filters, expected):
    assert stubs(catalog, **filters) == sorted(expected)


@pytest.mark.parametrize(
    ("sort", "known", "unknown"),
    [
        ("stub", sorted([BASE, PRUNED, QUANT, MOBILE, NEW]), []),
        ("size", [BASE, PRUNED, QUANT, MOBILE], [NEW]),
        ("quality", [BASE, PRUNED, QUANT], sorted([MOBILE, NEW])),
        ("sparsity", [QUANT, PRUNED], sorted([BASE, MOBILE, NEW])),
        ("optimization", [*sorted([BASE, MOBILE, NEW]), PRUNED, QUANT], []),
        ("confidence", [BASE, PRUNED, QUANT], sorted([MOBILE, NEW])),
    ],
)
def test_order(catalog, sort, known, unknown):
    assert stubs(catalog, "ic", sort=sort) == known + unknown
    turned = stubs(catalog, "ic", sort=sort, reverse=True)
    assert turned[len(known) :] == unknown
    assert sorted(turned) == sorted(known + unknown)
    assert turned[0] == {"size": MOBILE, "optimization": QUANT, "confidence": QUANT}.get(
        sort, known[-1]
    )


def test_sorts_are_all_tested():
    assert SORTS == ("stub", "size", "quality", "sparsity", "optimization", "confidence")


def test_what_is_found(catalog):
    found = {one.record.stub: one for one in search(catalog)}
    pruned = found[PRUNED]
    assert pruned.aliases == ("zoo:resnet_v1-50-imagenet-pruned90",)
    assert pruned.quality == 75.9, "from the record under the other name"
    assert pruned.to_dict() == {
        "stub": PRUNED,
        "aliases": ["zoo:resnet_v1-50-imagenet-pruned90"],
        "dense_millions": 25.56,
        "dense_basis": "published",
        "metric": "top1_accuracy",
        "quality": 75.9,
        "model": MODELS[1],
    }
    assert found[QUANT].quality == 75.0, "fractions of 1 are scaled, suspect figures left out"
    assert (found[BERT].metric, found[BERT].quality) == ("F1", 88.5)
    assert (found[NEW].size, found[NEW].quality) == (None, None)
    assert found[ODD].metric is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patterns": {"colour": "*"}}, "unknown field 'colour'"),
        ({"optimizations": ("small",)}, "unknown optimization 'small'"),
        ({"confidences": ("HIGH",)}, "unknown confidence 'HIGH'"),
        ({"min_sparsity": -1}, "minimum sparsity"),
        ({"min_sparsity": 101}, "minimum sparsity"),
        ({"min_sparsity": 0.9}, "minimum sparsity 0.9 is not a percentage"),
        ({"min_sparsity": float("nan")}, "minimum sparsity"),
    ],
)
def test_wrong_filters(wrong, message):
    with pytest.raises(UsageError, match=message) as caught:
        Filters(**wrong)
    assert caught.value.hint


def test_wrong_order(catalog):
    with pytest.raises(UsageError, match="unknown sort order 'colour'") as caught:
        search(catalog, sort="colour")
    assert "stub, size, quality" in caught.value.hint


def test_search_does_not_depend_on_the_order_of_records(catalog):
    turned = Catalog.from_records(catalog.models[::-1], catalog.provenance)
    for sort in SORTS:
        assert [one.to_dict() for one in search(turned, sort=sort)] == [
            one.to_dict() for one in search(catalog, sort=sort)
        ]
