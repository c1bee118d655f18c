"""`zooselect compare`."""

import csv
import io
import sys
from xml.etree import ElementTree

import pytest

from zooselect.task import TASKS


def rows(done):
    return list(csv.DictReader(io.StringIO(done.out)))


def test_the_table_and_the_scatter(cli):
    done = cli("compare", "qa")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == [
        "size", "optimization", "sparsity", "quality", "recovery", "bytes", "per", "sec",
    ]  # fmt: skip
    assert "pick at [0.5, 0.75)" in done.out
    assert "question_answering: F1 on squad (axis does not start at 0)" in lines
    legend = [line for line in lines if line[1:9] == "  level "]
    assert [line[0] for line in legend] == ["A", "B", "C", "D", "E"]
    assert "note: quality: F1 on squad\n" in done.err
    assert "note: per sec: samples/sec, " in done.err


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_it_fits_80_columns(cli, task):
    done = cli("compare", task)
    assert [line for line in done.out.splitlines() if len(line) > 80] == []
    assert done.out.isascii()
    assert "\x1b" not in done.out


def test_dominated_rows_say_by_which(cli):
    done = cli("compare", "qa", "--json").json
    numbers = {model["stub"]: number for number, model in enumerate(done["models"], 1)}
    dominated = [model for model in done["models"] if model["dominated_by"]]
    assert dominated
    text = cli("compare", "qa").out
    for model in dominated:
        above = sorted(numbers[stub] for stub in model["dominated_by"])
        assert "dominated by " + ", ".join(map(str, above)) in text


def test_json(cli):
    answer = cli("compare", "ic", "--objective", "quality", "--min-recovery", "0.99", "--json").json
    assert (answer["schema"], answer["task"], answer["objective"]) == (
        1, "image_classification", "quality",
    )  # fmt: skip
    assert (answer["metric"], answer["metric_dataset"]) == ("top1_accuracy", "imagenet")
    assert answer["best"] == answer["models"][0]["stub"]
    assert [pick["band"]["lower"] for pick in answer["picks"]] == [0, 0, 0.25, 0.5, 0.75]
    assert all(model["recovery"] >= 0.99 for model in answer["models"])
    listed = [model["stub"] for model in answer["models"]]
    within = [pick["within_limits"] for pick in answer["picks"]]
    assert within == [pick["stub"] in listed for pick in answer["picks"]]
    assert set(within) == {True, False}
    assert set(answer["models"][0]) == {
        "stub", "aliases", "optimization", "dense_millions", "dense_basis", "sparsity_percent",
        "quality", "recovery", "compressed_size_bytes", "onnx_size_bytes", "throughput",
        "throughputs", "compared", "on_front", "dominated_by", "picked_at", "model",
    }  # fmt: skip
    assert {"stub", "reason"} == set(answer["left_out"][0])
    assert answer["provenance"]["source"] == "snapshot"


def test_what_is_not_compared_is_on_no_front(cli):
    models = cli("compare", "qa", "--json").json["models"]
    assert {model["on_front"] for model in models if model["compared"]} == {True, False}
    assert {model["on_front"] for model in models if not model["compared"]} == {False}
    front = [model["stub"] for model in models if model["on_front"]]
    assert cli("compare", "qa", "--front", "-q").out.split() == front
    table = rows(cli("compare", "qa", "--format", "csv"))
    assert [row["stub"] for row in table if row["on_front"] == "true"] == front


def test_a_band_without_a_pick_is_neither_within_the_limits_nor_beyond(cli, catalog_file):
    stub = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned90-none"
    answer = cli("compare", "ic", "--catalog", catalog_file([{"stub": stub}]), "--json").json
    assert [pick["within_limits"] for pick in answer["picks"]] == [None] + [True] * 4


def test_recovery_as_a_percentage(cli):
    done = [
        cli("compare", "ic", "-q", "--min-recovery", text).out for text in ("0.99", "99%", "99.0%")
    ]
    assert done[0] == done[1] == done[2]
    assert done[0] != cli("compare", "ic", "-q", "--min-recovery", "97%").out


def test_csv_agrees_with_json(cli):
    models = cli("compare", "qa", "--json").json["models"]
    table = rows(cli("compare", "qa", "--format", "csv"))
    assert [row["stub"] for row in table] == [model["stub"] for model in models]
    for row, model in zip(table, models, strict=True):
        for name in ("quality", "recovery", "sparsity_percent", "compressed_size_bytes"):
            assert row[name] == ("" if model[name] is None else str(model[name]))
        assert row["on_front"] == str(model["on_front"]).lower()
        assert row["dominated_by"].split() == model["dominated_by"]


def test_quiet_is_the_stubs_alone(cli):
    done = cli("compare", "qa", "--front", "--quiet")
    stubs = done.out.splitlines()
    assert done.err == ""
    models = cli("compare", "qa", "--front", "--json").json["models"]
    assert stubs == [model["stub"] for model in models]
    assert all(model["on_front"] and model["compared"] for model in models)


def test_constraint_first_objective_second(cli):
    """The smallest model on disk budget and quality that the catalog has on record."""
    stub = cli(
        "compare", "qa", "--max-size", "50MB", "--objective", "quality", "--front", "--quiet"
    ).out.splitlines()[0]  # fmt: skip
    models = cli("compare", "qa", "--json").json["models"]
    fitting = [
        model for model in models
        if (model["compressed_size_bytes"] or model["onnx_size_bytes"] or 10**12) <= 50_000_000
    ]  # fmt: skip
    best = max(fitting, key=lambda model: model["quality"] or 0)
    assert stub == best["stub"]


def test_what_a_limit_leaves_out_is_told(cli):
    done = cli("compare", "qa", "--max-size", "50MB")
    answer = cli("compare", "qa", "--max-size", "50MB", "--json").json
    count = len(answer["left_out"])
    unknown = sum(one["reason"] == "bytes not on record" for one in answer["left_out"])
    assert unknown
    assert f"left out by a limit: {count}, {unknown} of them for want of a figure" in done.err
    kept = cli("compare", "qa", "--max-size", "50MB", "--keep-unknown", "--json").json
    assert len(kept["left_out"]) == count - unknown


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--max-parameters", "50MB"], "25.6M"),
        (["--max-size", "50M"], "50MB"),
        (["--max-size", "many"], "50MB"),
        (["--min-recovery", "99"], "0.99"),
        (["--min-recovery", "nan"], "99%"),
        (["--min-recovery", "1e-1"], "99%"),
        (["--min-recovery", "%"], "99%"),
        (["--min-quality", "-1"], "0 to 100"),
        (["--objective", "price"], "size, quality, throughput"),
        (["--metric", "recall"], "on record: F1"),
        (["--throughput-on", "abacus"], "--json"),
        (["--format", "xml"], "csv"),
        (["--plot", "x.gif"], ".svg"),
    ],
)
def test_wrong_questions(cli, options, hint):
    done = cli("compare", "qa", *options)
    assert (done.code, len(done.errors), done.out) == (2, 1, "")
    assert hint in done.err


def test_two_formats_at_once(cli):
    done = cli("compare", "qa", "--json", "--format", "csv")
    assert (done.code, done.json["error"]["type"]) == (2, "UsageError")


def test_nothing_within_the_limits(cli):
    done = cli("compare", "qa", "--max-parameters", "1K")
    assert (done.code, len(done.errors)) == (3, 1)


def test_throughput_of_another_machine(cli):
    answer = cli("compare", "qa", "--throughput-on", "epyc 9654", "--json").json
    assert "EPYC 9654" in answer["throughput_conditions"]
    assert sum(model["throughput"] is not None for model in answer["models"]) >= 2


def test_a_task_without_a_metric(cli):
    done = cli("compare", "text-generation")
    assert done.code == 0
    assert "note: quality: the task has no metric; --metric names one" in done.err
    answer = cli("compare", "text-generation", "--metric", "zero_shot_accuracy", "--json").json
    assert answer["metric_dataset"] == "gsm8k"
    assert any(model["compared"] for model in answer["models"])


def test_a_plot_as_svg(cli, tmp_path):
    files = [tmp_path / "a.svg", tmp_path / "b.SVG"]
    for file in files:
        assert cli("compare", "qa", "--plot", file).code == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    ElementTree.parse(files[0])


def test_the_picture_is_of_what_the_table_lists(cli, tmp_path):
    """With --front: the front and the picks."""
    answer = cli("compare", "qa", "--json").json
    picks = {pick["stub"] for pick in answer["picks"]}
    wanted = [one for one in answer["models"] if one["on_front"] or one["stub"] in picks]
    assert len(picks) < len(wanted) < len(answer["models"])
    done = cli("compare", "qa", "--front", "--plot", tmp_path / "a.svg")
    # In the legend of the text, and as circles: the key has 4 kinds, 2 standings and a ring.
    assert "o no quality" not in done.out
    assert "* on the front, . dominated\n" in done.out
    assert all(one["compared"] for one in wanted)
    circles = ElementTree.parse(tmp_path / "a.svg").findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == len(wanted) + len(picks) + 7


def test_a_quality_on_another_data_set_is_told(cli, catalog_file):
    stub = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/"
    models = [
        {"stub": stub + tag, "results": [{"metric": "top1_accuracy", "value": 70, "dataset": on}]}
        for tag, on in (("base-none", "imagenet"), ("pruned80-none", "imagenet"),
                        ("pruned90-none", "imagenet_v2"))
    ] + [{"stub": stub + "pruned85-none"}]  # fmt: skip
    done = cli("compare", "ic", "--catalog", catalog_file(models))
    assert done.out.count("quality on another data set: imagenet_v2") == 1
    assert "* on the front, + on another data set, o no quality on record\n" in done.out


def test_a_plot_as_png(cli, tmp_path):
    assert cli("compare", "qa", "--plot", tmp_path / "a.png").code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_png_without_pillow_is_one_line(cli, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    done = cli("compare", "qa", "--plot", tmp_path / "a.png")
    assert (done.code, done.errors) == (2, ["error: PNG needs Pillow"])
    assert "zooselect[plot]" in done.err
    assert list(tmp_path.iterdir()) == []


def test_scope_options_narrow_it(cli):
    models = cli("compare", "ic", "--architecture", "resnet_v1-50", "--json").json["models"]
    assert {model["model"]["sub_architecture"] for model in models} == {"50"}
    more = cli("compare", "ic", "--include-unverified", "--json").json["models"]
    assert any(model["model"]["confidence"] == "low" for model in more)
    assert cli("compare", "ic", "--architecture", "nothing").code == 3
