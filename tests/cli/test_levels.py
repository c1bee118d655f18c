"""`zooselect levels`."""

import pytest

from zooselect.task import TASKS

BANDS = ["0", "(0, 0.25)", "[0.25, 0.5)", "[0.5, 0.75)", "[0.75, 1]"]


def test_every_band_with_stub_size_optimization_and_quality(cli):
    done = cli("levels", "qa")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["level", "tier", "size", "optimization", "F1"]
    rows = [line for line in lines[1:] if not line.startswith(" ")]
    assert [row.split("  ")[0] for row in rows] == BANDS
    tiers = ["largest"] * 3 + ["medium", "smallest"]
    assert all(f" {tier} " in row for row, tier in zip(rows, tiers, strict=True))
    assert lines[1].split() == ["0", "largest", "335.1", "M", "base", lines[1].split()[-1]]
    assert lines[2] == "  zoo:nlp/question_answering/bert-large/pytorch/huggingface/squad/base-none"


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_json_agrees_with_resolve(cli, task):
    answer = cli("levels", task, "--json").json
    assert (answer["schema"], answer["policy"], answer["task"]) == (1, 1, task)
    assert set(answer) >= {"dataset", "metric", "size_classes", "provenance"}
    for band, level in zip(answer["bands"], ["0", "0.1", "0.3", "0.6", "0.9"], strict=True):
        one = cli("resolve", task, "-l", level, "--json").json
        assert band["band"] == one["band"]
        assert (band["stub"], band["exact"], band["fallback"]) == (
            one["stub"], one["exact"], one["fallback"],
        )  # fmt: skip
        assert set(band) >= {"optimization", "sparsity_percent", "dense_millions", "quality"}


@pytest.mark.parametrize("options", [[], ["--strict"], ["--all-sizes"]])
@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_the_table_fits_80_columns(cli, task, options):
    done = cli("levels", task, *options)
    assert done.code == (0 if done.out else 3)
    assert [line for line in done.out.splitlines() if len(line) > 80] == []
    assert done.out.isascii()
    assert "\x1b" not in done.out


def test_a_broken_stub_is_whole_when_joined(cli):
    answer = cli("levels", "ic", "--json").json
    lines = cli("levels", "ic").out
    joined = "".join(line.strip() for line in lines.splitlines())
    for band in answer["bands"]:
        assert band["stub"] in joined


def test_fallbacks_are_marked_and_told(cli):
    done = cli("levels", "od")
    assert "pruned_quantized *" in done.out
    assert "note: (0, 0.25): fallback: wanted quantized" in done.err
    assert cli("levels", "od", "--quiet").err == ""


def test_quiet_is_band_and_stub_alone(cli):
    lines = cli("levels", "od", "--quiet").out.splitlines()
    assert lines[0] == "0\tzoo:yolov5-x6-coco-base"
    assert [line.split("\t")[0] for line in lines][1:3] == ["(0, 0.25)", "[0.25, 0.5)"]


def test_a_note_is_told_once(cli):
    done = cli("levels", "ic", "--dataset", "cifar10")
    told = [line for line in done.err.splitlines() if "'cifar10' (did you mean cifar_10?)" in line]
    assert len(told) == 1


def test_bands_without_an_answer_say_why(cli):
    done = cli("levels", "sentiment_analysis", "--strict")
    assert done.code == 0
    assert "none: no base model in the size class" in done.out
    band = cli("levels", "sentiment_analysis", "--strict", "--json").json["bands"][0]
    assert band["stub"] is None
    assert "--strict forbids" in band["reason"]


def test_no_band_has_an_answer(cli):
    done = cli("levels", "ic", "--architecture", "nothing", "--json")
    assert done.code == 3
    assert done.json["error"]["type"] == "NoCandidateError"


def test_unknown_task(cli):
    done = cli("levels", "question_answring")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error: unknown task 'question_answring'",
        "hint: did you mean question_answering?",
    ]
