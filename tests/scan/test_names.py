"""What a name means by a catalog."""

import pytest

from zooselect import Catalog
from zooselect.catalog.parse import parse_models
from zooselect.scan.names import AMBIGUOUS, KNOWN, MISSPELT, STATUSES, UNKNOWN, Names

RESNET = "cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/"


@pytest.fixture(scope="module")
def names():
    return Names(Catalog.embedded())


def names_of(*models):
    parsed = parse_models(models)
    assert not parsed.skipped
    return Names(parsed.records)


def test_every_name_of_the_catalog_is_known_or_ambiguous(names):
    for record in Catalog.embedded():
        for stub in (record.stub, *record.aliases):
            judged = names.judge(stub.removeprefix("zoo:"))
            assert judged.status in (KNOWN, AMBIGUOUS)
            if judged.status == KNOWN:
                assert judged.unverified == (Catalog.embedded().find(stub).confidence == "low")


def test_a_v2_name_of_several_models(names):
    status, meant, *_ = names.judge("mobilenet_v2-1.0-imagenet-base")
    assert status == AMBIGUOUS
    assert len(meant) > 1
    assert all("/mobilenet_v2-1.0/" in stub for stub in meant)


def test_two_v1_records_that_claim_one_v2_name():
    models = [
        {"stub": f"zoo:cv/classification/x-1/pytorch/{repo}/imagenet/base-none",
         "stub_v2": "zoo:x-1-imagenet-base"}
        for repo in ("one", "two")
    ]  # fmt: skip
    assert names_of(*models).judge("x-1-imagenet-base")[:3] == (
        AMBIGUOUS, tuple(model["stub"] for model in models), False,
    )  # fmt: skip
    one = names_of(models[0]).judge("x-1-imagenet-base")
    assert one[:3] == (KNOWN, (models[0]["stub"],), False)


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("cv/clasification/resnet_v1-50/pytorch/sparseml/imagenet/base-none", "base-none"),
        ("cv/classification/resnet_v1-50/pytorch/sparsemll/imagenet/base-none", "base-none"),
        (RESNET + "pruned95-quant-none", "pruned95_quant-none"),
        (RESNET + "Pruned95_Quant-none", "pruned95_quant-none"),
        (RESNET + "pruned95_qaunt-none", "pruned95_quant-none"),
        ("yolov5s-coco-pruned75", "zoo:yolov5-s-coco-pruned75"),
        ("mobilenet_v1-1.0-imagnet-pruned.4block_quantized", "pruned.4block_quantized"),
    ],
)
def test_misspelt(names, path, nearest):
    judged = names.judge(path)
    assert judged.status == MISSPELT
    assert judged.names[0].endswith(nearest)


@pytest.mark.parametrize(
    "path",
    [
        RESNET + "pruned77-none",  # another number is another model
        "yolov8-x-coco-pruned80_quantized",  # x, too, is a size on record
        "cv/classification/resnet_v1-50/keras/torchvision/imagenet/base-none",
        "bert-large-squad_wikipedia_bookcorpus-pruned95",
        "a-b-c",
    ],
)
def test_another_model_is_not_a_misspelling(names, path):
    assert names.judge(path).status == UNKNOWN


def test_an_unknown_name_has_the_nearest_one(names):
    assert names.judge(RESNET + "pruned97-none").names[0].startswith("zoo:" + RESNET)


def test_an_empty_catalog():
    assert Names([]).judge("a-b-c") == (UNKNOWN, (), False, "")


def test_a_large_catalog_is_compared_in_part():
    many = [{"stub": f"zoo:model{number}-imagenet-base"} for number in range(6000)]
    names = names_of(*many, {"stub": "zoo:thatone-imagenet-pruned50"})
    assert names.judge("thatone-imagnet-pruned50").names == ("zoo:thatone-imagenet-pruned50",)


def test_statuses_are_told_in_this_order():
    assert STATUSES == ("known", "ambiguous", "misspelt", "unknown")


def test_a_v2_name_of_a_model_that_stands_under_its_v1_name_alone(names):
    judged = names.judge("yolov5-s-coco-pruned85")
    v1 = "zoo:cv/detection/yolov5-s/pytorch/ultralytics/coco/pruned85-none"
    assert (judged.status, judged.names) == (UNKNOWN, (v1,))
    assert judged.hint == f"this model's name in the catalog: {v1}"


def test_what_the_embedded_catalog_has_is_no_misspelling():
    one = {"stub": "zoo:" + RESNET + "pruned95_quant-none"}
    path = RESNET + "pruned95-none"
    embedded = Catalog.embedded()
    assert "zoo:" + path in {record.stub for record in embedded}
    judged = Names(parse_models([one]).records, embedded).judge(path)
    assert (judged.status, judged.names) == (UNKNOWN, ())
    assert judged.hint == "the embedded catalog has it, and this one has not"
    misspelt = Names(parse_models([one]).records, embedded).judge(RESNET + "pruned95_qaunt-none")
    assert (misspelt.status, misspelt.names) == (MISSPELT, (one["stub"],))
