"""A model's v1 name, told from the parts of its v2 name."""

import pytest

from zooselect import Catalog
from zooselect.namesake import v1_names

NAMES = [name for one in Catalog.embedded() for name in (one.stub, *one.aliases)]
YOLO = "zoo:cv/detection/yolov5-s/pytorch/ultralytics/coco/"


def test_every_pair_on_record_is_found():
    pairs = [
        (name, one.stub)
        for one in Catalog.embedded()
        for name in one.aliases
        if "/" in one.stub and "/" not in name
    ]
    assert len(pairs) > 30
    for v2, v1 in pairs:
        assert v1 in v1_names(v2, NAMES)


def test_with_and_without_prefix():
    assert v1_names("yolov5-s-coco-pruned85", NAMES) == [YOLO + "pruned85-none"]
    assert v1_names("zoo:yolov5-s-coco-pruned85?recipe=a", NAMES) == [YOLO + "pruned85-none"]


@pytest.mark.parametrize(
    "text",
    [
        "yolov5-s-coco-pruned84",
        "yolov5-m-voc-pruned85",
        "yolov5-s-coco-pruned85_quantized",
        YOLO + "pruned85-none",
        "yolov5",
        "",
    ],
)
def test_another_model_and_other_texts(text):
    assert v1_names(text, [YOLO + "pruned85-none"]) == []
