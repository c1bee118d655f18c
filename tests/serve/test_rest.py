"""The REST routes of clients 1.1 to 1.4."""

import pytest

from tests.serve.zoos import BASE, BERT, model, url_of, zoo_of
from zooselect.serve import rest


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    tags = [f"pruned{number}_quant-none" for number in range(1, 46)]
    return zoo_of(
        tmp_path_factory.mktemp("zoo"),
        *(model(BASE + tag) for tag in (*tags, "base-none", "pruned90-none-vnni")),
        model(BERT + "base-none", stub_v2="zoo:bert-base-wikipedia-sst2-base"),
    )


def search(zoo, domain="cv", sub_domain="classification", **parameters):
    return rest.search(zoo, domain, sub_domain, parameters, url_of)["models"]


def test_search(zoo):
    assert len(search(zoo)) == 20
    everything = [one["model_id"] for page in "123" for one in search(zoo, page=page)]
    assert len(set(everything)) == len(everything) == 47
    assert len(search(zoo, page="3")) == 7
    assert search(zoo, page="4") == search(zoo, page="999999999", page_length="999999999") == []
    assert len(search(zoo, page_length="100")) == 47
    assert search(zoo, "cv", "detection") == search(zoo, "nothing", None) == []
    assert len(search(zoo, "nlp", None)) == 1


def test_every_parameter_counts(zoo):
    place = {
        "architecture": "resnet_v1", "sub_architecture": "50", "framework": "pytorch",
        "repo": "sparseml", "dataset": "imagenet", "sparse_name": "pruned90",
        "sparse_category": "none", "sparse_target": "vnni",
    }  # fmt: skip
    assert len(search(zoo, **place)) == 1
    for name in place:
        assert search(zoo, **{**place, name: "other"}) == []
    # The place in the path is the one that holds.
    elsewhere = {**place, "domain": "nlp", "sub_domain": "x"}
    assert len(rest.search(zoo, "cv", "classification", elsewhere, url_of)["models"]) == 1
    assert search(zoo, training_scheme="augmented") == []


def test_partial_tags(zoo):
    assert len(search(zoo, sparse_name="pruned7_quant")) == 1
    assert len(search(zoo, sparse_name="pruned90", sparse_category="none")) == 0


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "²", "\u0661", " 1", "9" * 100, "1e3"])
@pytest.mark.parametrize("name", ["page", "page_length"])
def test_odd_pages(zoo, name, text):
    with pytest.raises(ValueError, match="is not a number from 1"):
        search(zoo, **{name: text})


def test_model_by_its_names(zoo):
    for name in (BERT + "base-none", "zoo:bert-base-wikipedia-sst2-base"):
        for one in (name, name.removeprefix("zoo:")):
            answer = rest.model(zoo, one, url_of)
            assert answer["model"]["domain"] == "nlp"
            assert {file["display_name"] for file in answer["model"]["files"]} >= {"model.onnx"}
    for name in ("", "/", "zoo:", "bert", "../x", "bert-base-wikipedia-sst2-base/model.onnx"):
        assert rest.model(zoo, name, url_of) is None
