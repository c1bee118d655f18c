"""`zooselect resolve`."""

import pytest

from zooselect import resolve

RESNET = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet"
ANSWER = RESNET + "-augmented/pruned_quant-aggressive"


@pytest.mark.parametrize(
    "arguments",
    [
        ["image-classification", "--optim-level", "0.5"],
        ["IC", "-l", "50%"],
        ["cv_classification", "-l0.5"],
        ["ic"],
        ["ic", "--quiet"],
        ["ic", "--offline", "--mode", "SPARSE_TRANSFER"],
    ],
)
def test_the_stub_alone_on_stdout(cli, arguments):
    assert cli("resolve", *arguments) == (0, ANSWER + "\n", "")


def test_the_same_as_a_process(process):
    assert process("resolve", "image-classification", "--optim-level", "0.5") == (
        0, ANSWER + "\n", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("task", "level", "stub"),
    [
        ("question_answering", "0.0",
         "zoo:nlp/question_answering/bert-large/pytorch/huggingface/squad/base-none"),
        ("question_answering", "0.5",
         "zoo:nlp/question_answering/obert-base/pytorch/huggingface/squad/pruned90_quant-none"),
        ("object_detection", "0.9",
         "zoo:cv/detection/yolov5-n/pytorch/ultralytics/coco/pruned40_quant-none"),
        ("text_generation", "0.5",
         "zoo:nlg/text_generation/opt-1.3b/pytorch/huggingface/opt_pretrain/"
         "pruned50_quantW8A8-none"),
    ],
)  # fmt: skip
def test_the_shipped_catalog(cli, task, level, stub):
    assert cli("resolve", task, "-l", level) == (0, stub + "\n", "")


def test_a_fallback_is_disclosed_on_stderr(cli):
    stub = "zoo:cv/detection/yolov5-x6/pytorch/ultralytics/coco/pruned75_quant-none"
    done = cli("resolve", "object_detection", "-l", "0.1")
    assert (done.code, done.out) == (0, stub + "\n")
    (line,) = done.err.splitlines()
    assert line.startswith("note: fallback: wanted quantized, got pruned_quantized: ")
    assert cli("resolve", "object_detection", "-l", "0.1", "--quiet") == (0, stub + "\n", "")
    answer = cli("resolve", "object_detection", "-l", "0.1", "--json").json
    assert answer["exact"] is False
    assert set(answer["fallback"]) == {"wanted", "got", "reason"}


def test_strict(cli):
    done = cli("resolve", "object_detection", "-l", "0.1", "--strict", "--json")
    assert done.code == 3
    assert "--strict forbids" in done.errors[0]
    assert "yolov5-x6" in done.errors[0]
    assert done.json["error"]["type"] == "NoCandidateError"
    assert done.json["error"]["exit_code"] == 3


def test_a_recipe_of_another_level_is_not_left_lying(cli, tmp_path):
    path = tmp_path / "recipe.yaml"
    plan = ("resolve", "ic", "--mode", "one-shot", "--recipe-out", path)
    assert cli(*plan, "-l", "0").code == 0
    assert not path.exists()
    assert cli(*plan, "-l", "0.5").code == 0
    done = cli(*plan, "-l", "0")
    assert (done.code, path.exists()) == (2, True)
    assert "holds another" in done.err


def test_options_that_cannot_act_are_refused_or_noted(cli, tmp_path):
    named = ("resolve", "ic", "--mode", "one-shot", "--model", tmp_path)
    assert cli(*named, "--dataset", "imagenet").code == 2
    assert cli(*named, "-l", "0", "--set", "calibration_steps=8").code == 2
    assert "made for 'avx9'" in cli("resolve", "ic", "--target", "avx9").err


def test_base_falls_back_downwards_and_says_so(cli):
    done = cli("resolve", "sentiment_analysis", "-l", "0")
    assert done.code == 0
    assert "fallback: no base model in the size class" in done.err
    assert "largest below" in done.err


@pytest.mark.parametrize("level", ["0", "0.1", "0.3", "0.5", "1"])
def test_json_is_the_apis_answer(cli, level):
    done = cli("resolve", "qa", "-l", level, "--json", "--dataset", "mine")
    assert done.code == 0
    assert done.json == resolve("qa", float(level), dataset="mine").to_dict()


def test_explanation_goes_to_stderr(cli):
    done = cli("resolve", "ic", "--explain", "--framework", "pytorch")
    assert (done.code, done.out) == (0, ANSWER + "\n")
    assert done.err == resolve("ic", framework="pytorch").explain() + "\n"
    assert ANSWER in done.err
    quiet = cli("resolve", "ic", "--json", "--explain")
    assert quiet.json["stub"] == ANSWER


@pytest.mark.parametrize(
    ("options", "test"),
    [
        (["--dataset", "cifar_10"], lambda model: model["source_dataset"] == "cifar_10"),
        (["--architecture", "mobilenet_v1"], lambda model: model["architecture"] == "mobilenet_v1"),
        (["--framework", "keras"], lambda model: model["framework"] == "keras"),
        (["--repo", "torchvision"], lambda model: model["repo"] == "torchvision"),
        (["--target", "vnni", "-l", "0.5"], lambda model: model["stub"].endswith("-vnni")),
    ],
)
def test_options(cli, options, test):
    done = cli("resolve", "ic", "-l", "0", "--json", *options)
    assert done.code == 0
    assert test(done.json["model"])


def test_all_sizes_and_unverified(cli):
    few = cli("resolve", "ic", "--json").json
    assert len(cli("resolve", "ic", "--json", "--all-sizes").json["size_classes"]) > len(
        few["size_classes"]
    )
    more = cli("resolve", "ic", "--json", "--include-unverified").json
    assert any("unverified" in one["reason"] for one in few["excluded"])
    assert not any("unverified" in one["reason"] for one in more["excluded"])


@pytest.mark.parametrize(
    ("mode", "level", "plan"),
    [
        ("one-shot", "0", "one-shot 0.0: no change, the input model is the baseline"),
        ("one-shot", "0.2", "one-shot 0.2: INT8 weights and activations"),
        ("one-shot", "1", "one-shot 1.0: prune 80.00 % unstructured, INT8 weights and activations"),
        ("training-aware", "0.3", "training-aware 0.3: prune 60.00 % unstructured, INT8"),
    ],
)
def test_plans(cli, mode, level, plan):
    done = cli("resolve", "ic", "--mode", mode, "-l", level)
    assert done.code == 0
    assert done.out.startswith(plan)
    answer = cli("resolve", "ic", "--mode", mode, "-l", level, "--json").json
    assert answer["mode"] == mode
    assert set(answer["plan"]) >= {
        "sparsity", "sparsity_structure", "quantization", "recipe_format", "recipe",
    }  # fmt: skip


@pytest.mark.parametrize(
    "level", ["nan", "inf", "True", "1.0001", "50", "1_0", "٣", "0x1", "", "-0.1", "150%", "-1e-9"]
)
def test_levels_that_are_none(cli, level):
    done = cli("resolve", "ic", "--optim-level", level, "--json")
    assert done.code == 2
    assert done.errors[0].startswith("error: optim level ")
    assert "0.0 to 1.0" in done.json["error"]["hint"]
    assert done.err.splitlines()[1] == "hint: " + done.json["error"]["hint"]


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (["--architecture", "resnet"], "has architecture 'resnet'", "efficientnet-b0"),
        (["--framework", "caffe"], "has framework 'caffe'", "pytorch"),
        (["--repo", "mine"], "has repo 'mine'", "torchvision"),
    ],
)
def test_filters_that_leave_nothing(cli, options, message, hint):
    done = cli("resolve", "ic", *options)
    assert (done.code, done.out) == (3, "")
    assert message in done.errors[0]
    assert hint in done.err.splitlines()[1]


def test_unknown_mode(cli):
    done = cli("resolve", "ic", "--mode", "dense")
    assert (done.code, done.out) == (2, "")
    assert "hint: modes: sparse-transfer, one-shot, training-aware" in done.err


@pytest.mark.parametrize("where", ["option", "environment"])
def test_another_catalog(cli, small_catalog, monkeypatch, where):
    options = ["--catalog", small_catalog] if where == "option" else []
    if where == "environment":
        monkeypatch.setenv("ZOOSELECT_CATALOG", str(small_catalog))
    done = cli("resolve", "ic", "--json", *options)
    assert done.json["stub"] == RESNET + "/pruned95_quant-none"
    assert done.json["provenance"]["location"] == str(small_catalog)
    assert done.json["provenance"]["source"] == "file"
    assert cli("resolve", "qa", *options).code == 3


def test_verbose_says_where_the_answer_comes_from(cli):
    done = cli("resolve", "ic", "--verbose")
    assert done.out == ANSWER + "\n"
    (line,) = done.err.splitlines()
    assert line.startswith("catalog: zooselect/data/catalog, compiled 20")
    assert "sha256:" in line
