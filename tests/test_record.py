"""Records and their results."""

from dataclasses import FrozenInstanceError

import pytest

from zooselect.record import (
    DATASET_SYNONYMS,
    ModelRecord,
    Result,
    downstream_dataset,
    evaluated_dataset,
)


def record(**fields):
    basic = {
        "stub": "zoo:a-b-c-base",
        "architecture": "a",
        "source_dataset": "c",
        "sparse_tag": "base",
        "optimization": "base",
        "dataset": "c",
    }
    return ModelRecord(**{**basic, **fields})


@pytest.mark.parametrize(
    ("source", "downstream"),
    [
        ("imagenet", "imagenet"),
        ("squad_wikipedia_bookcorpus", "squad"),
        ("voc_coco", "voc"),
        ("gsm8k_llama2_pretrain", "gsm8k"),
        ("gsm8k_mistral_pretrain", "gsm8k"),
        ("gsm8k_mpt_pretrain", "gsm8k"),
        ("evolcodealpaca_codellama_pretrain", "evolcodealpaca"),
        ("wikipedia_bookcorpus", "wikipedia_bookcorpus"),
        ("coco", "coco"),
        ("_coco", "_coco"),
        ("a_coco_coco", "a_coco"),
        ("opt_pretrain", "opt_pretrain"),
        ("coco_voc", "coco_voc"),
    ],
)
def test_downstream_dataset(source, downstream):
    assert downstream_dataset(source) == downstream


@pytest.mark.parametrize(
    ("value", "units", "percent"),
    [
        (76.1, "%", 76.1),
        (0.5, "%", 0.5),
        (0.568, "mAP@0.5 (0-1)", 56.8),
        (1.0, "(0-1)", 100.0),
        (0.9, "(0-100)", 0.9),
        (0.9, None, 90.0),
        (1, None, 100),
        (1.01, None, 1.01),
        (88.5, "F1", 88.5),
        (0.0, None, 0.0),
    ],
)
def test_results_on_one_scale(value, units, percent):
    assert Result("m", value, units).percent == pytest.approx(percent)


def test_quality_is_the_best_believed_result_on_the_metric():
    one = record(
        results=(
            Result("F1", 88.0, "%"),
            Result("F1", 0.895, "(0-1)"),
            Result("F1", 99.0, "%", suspect="a copying slip"),
            Result("exact_match", 95.0, "%"),
        )
    )
    assert one.quality("F1") == pytest.approx(89.5)
    assert one.quality("exact_match") == 95.0
    assert one.quality("accuracy") is None
    assert one.quality(None) is None


def test_network():
    assert record().network == "a"
    assert record(sub_architecture="50").network == "a-50"


def test_records_are_values():
    assert record() == record(raw={"anything": 1})
    assert record() != record(repo="x")
    with pytest.raises(FrozenInstanceError):
        record().stub = "zoo:x-y-z"


def test_what_a_record_gives_away_is_a_copy():
    one = record(raw={"stub": "zoo:a-b-c-base"})
    one.to_dict()["stub"] = "changed"
    assert one.to_dict() == {"stub": "zoo:a-b-c-base"}


def test_one_name_for_one_data_set():
    assert evaluated_dataset("squad v1.1") == evaluated_dataset("squad") == "squad"
    assert evaluated_dataset("squad v2.0") == "squad v2.0"
    # The name that stays is no synonym itself: asking twice changes nothing.
    assert not set(DATASET_SYNONYMS.values()) & set(DATASET_SYNONYMS)
