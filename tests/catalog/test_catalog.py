"""Catalogs as values: records by task, and by name."""

import pytest

from zooselect import Catalog, NotFoundError, Stub, StubError
from zooselect.catalog.catalog import linked
from zooselect.catalog.parse import parse_models
from zooselect.catalog.provenance import Provenance

V1 = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned95-none"
V2 = "zoo:resnet_v1-50-imagenet-pruned95"
BERT = "zoo:nlp/question_answering/bert-base/pytorch/huggingface/squad/base-none"


def records(*items):
    parsed = parse_models(items)
    assert parsed.skipped == ()
    return parsed.records


def catalog(*items):
    return Catalog.from_records(records(*items), Provenance("file", "here", "sha256:0"))


def test_records_by_task():
    one = catalog({"stub": V1}, {"stub": BERT}, {"stub": V2})
    assert [record.stub for record in one.at("cv", "classification")] == [V1]
    assert one.at("cv", "nothing") == ()
    assert set(one.places) == {
        ("cv", "classification"), ("nlp", "question_answering"), (None, None)
    }  # fmt: skip
    assert sorted(record.stub for record in one) == sorted([V1, V2, BERT])
    assert len(one) == len(one.models) == 3


@pytest.mark.parametrize("ask", [str, Stub.parse, lambda text: text.removeprefix("zoo:")])
@pytest.mark.parametrize("name", [V1, V2, BERT])
def test_find_by_own_name(ask, name):
    one = catalog({"stub": V1}, {"stub": V2}, {"stub": BERT})
    assert one.find(ask(name)).stub == name


def test_find_leaves_parameters_aside():
    assert catalog({"stub": V1}).find(V1 + "?recipe=transfer").stub == V1


@pytest.mark.parametrize("key", ["stub_v2", "probable_alias"])
def test_find_by_alias(key):
    value = V2 if key == "stub_v2" else {"stub": V2, "reason": "the same"}
    assert catalog({"stub": BERT}, {"stub": V1, key: value}).find(V2).stub == V1


def test_own_names_win_over_aliases():
    for order in (1, -1):
        items = [{"stub": V1, "stub_v2": V2}, {"stub": V2}][::order]
        assert catalog(*items).find(V2).stub == V2


def test_find_a_v1_name_that_stands_elsewhere():
    assert catalog({"stub": V1, "domain": "nlp"}).find(V1).domain == "nlp"


def test_nothing_found():
    with pytest.raises(NotFoundError, match="is not in the catalog") as caught:
        catalog({"stub": V1}).find(V1.replace("pruned95", "pruned96"))
    assert caught.value.hint == f"closest: {V1}"
    assert caught.value.exit_code == 3
    with pytest.raises(NotFoundError) as caught:
        catalog({"stub": V1}).find("zoo:x-y-z")
    assert "zooselect search" in caught.value.hint
    with pytest.raises(StubError):
        catalog({"stub": V1}).find("x")


def test_linked_records_are_one_model():
    pair = records(
        {"stub": V2, "probable_alias": {"stub": V1}},
        {"stub": BERT},
        {"stub": V1, "probable_alias": {"stub": V2}},
    )
    assert [[one.stub for one in group] for group in linked(pair)] == [[V1, V2], [BERT]]
    assert [[one.stub for one in group] for group in linked(pair[::-1])] == [[V1, V2], [BERT]]


@pytest.mark.parametrize("first", [0, 1])
def test_a_link_of_one_side_is_enough(first):
    pair = records({"stub": V1, "stub_v2": V2}, {"stub": V2})
    assert len(linked([pair[first], pair[1 - first]])) == 1


def test_embedded_catalog_is_one_object():
    assert Catalog.embedded() is Catalog.embedded()


def test_a_shared_v2_name_makes_two_models_no_one():
    place = "zoo:cv/classification/resnet_v1-18/pytorch/{}/imagenet/pruned80-none"
    twins = [
        {"stub": place.format(repo), "stub_v2": "zoo:resnet_v1-18-imagenet-pruned80"}
        for repo in ("sparseml", "torchvision")
    ]
    groups = linked(parse_models(twins).records)
    assert [[one.stub for one in group] for group in groups] == [[one["stub"]] for one in twins]
