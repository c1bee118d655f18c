"""The page's words."""

from zooselect import levels
from zooselect.catalog.provenance import Provenance
from zooselect.level import BANDS, SPARSE_TRANSFER
from zooselect.report import words
from zooselect.task import TASKS, Task


def test_bands_in_words():
    assert [words.interval(band) for band in BANDS[SPARSE_TRANSFER]] == [
        "0", "above 0 and below 0.25", "from 0.25 to below 0.5", "from 0.5 to below 0.75",
        "from 0.75 to 1",
    ]  # fmt: skip
    assert (
        words.asks(BANDS[SPARSE_TRANSFER][0])
        == "Level 0 asks for the base model of the largest size."
    )
    assert words.asks(BANDS[SPARSE_TRANSFER][3]) == (
        "Levels from 0.5 to below 0.75 ask for a pruned + quantized model of the medium size."
    )


def test_figures():
    assert words.size(25.56) == "25.56 million"
    assert words.size(6738.55) == "6.74 billion"
    assert words.figure(75.712) == "75.71"
    assert words.title(Task.parse("qa")) == "Question answering"
    assert words.metric(None) is None


def test_bytes():
    assert [words.on_disk(count) for count in (None, 9_562_200, 999_499_999, 1_230_000_000)] == [
        None, "9.56 MB", "999 MB", "1.23 GB",
    ]  # fmt: skip


def test_texts_of_others_are_one_line_and_bounded():
    assert words.cut("a\x00b\n\u202ec\ud800") == "a b  c "
    assert len(words.cut("x" * 10_000)) == words.MOST
    assert words.cut("x" * words.MOST) == "x" * words.MOST


def test_explanation():
    axis = levels("qa")
    told = words.explanation(axis[3], Task.parse("qa"), axis[0])
    assert told == [
        "Levels from 0.5 to below 0.75 ask for a pruned + quantized model of the medium size.",
        "This model is "
        + axis[3].selection.why.replace("pruned_quantized", "pruned + quantized")
        + ".",
        "Quality: F1 88 % on squad, stated in neuralmagic/sparseml"
        " integrations/huggingface-transformers/tutorials/sparse-transfer-learning-bert.md @ main.",
        "For comparison, level 0: bert-large, 335.1 million parameters, quality 90.6.",
    ]
    assert not any("comparison" in one for one in words.explanation(axis[0], TASKS[3], axis[0]))


def test_sizes_in_words():
    assert words.size_classes(levels("text_generation")[0]) == (
        "Sizes a level chooses from: 6.65 billion to 7.24 billion (largest);"
        " 1.32 billion (medium); 356.7 million (smallest)."
    )


def test_names_in_words():
    task = Task.parse("ic")
    assert words.spoken("top1_accuracy 75, below 76: pruned_quantized", task) == (
        "top1 accuracy 75, below 76: pruned + quantized"
    )
    # No part of a stub, and no word of a task without a metric.
    assert words.spoken("zoo:a/pruned_quantized a-pruned_quantized", task) == (
        "zoo:a/pruned_quantized a-pruned_quantized"
    )
    assert words.spoken("top1_accuracy", Task.parse("mlm")) == "top1_accuracy"


def test_about():
    told = {kind: words.about(Provenance(kind, "", "")) for kind in ("snapshot", "file", "mirror")}
    assert "reconstruction from public records" in told["snapshot"]
    assert len(set(told.values())) == 3
    assert "reconstruction" not in told["file"] + told["mirror"]
