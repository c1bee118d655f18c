"""`zooselect search`."""

import pytest


def stubs(done):
    assert done.code == 0
    return done.out.splitlines()


def test_quiet_is_the_stubs_alone(cli):
    done = cli("search", "--quiet")
    lines = stubs(done)
    assert len(lines) == len(set(lines)) == 396
    assert lines == sorted(lines)
    assert all(line.startswith("zoo:") for line in lines)
    assert done.err == ""


def test_json(cli):
    answer = cli("search", "segmentation", "--json").json
    assert (answer["schema"], answer["total"], answer["page"], answer["pages"]) == (1, 7, 1, 1)
    assert answer["provenance"]["source"] == "snapshot"
    assert len(answer["models"]) == 7
    assert set(answer["models"][0]) == {
        "stub", "aliases", "dense_millions", "dense_basis", "metric", "quality", "model",
    }  # fmt: skip


def test_text_for_people(cli, small_catalog):
    done = cli("search", "ic", "--catalog", small_catalog)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none",
        "    base, 25.56 M, no quality on record, confidence high",
        "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned90-none",
        "    pruned 90 %, 25.56 M, no quality on record, confidence high",
        "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned95_quant-none",
        "    pruned_quantized 95 %, 25.56 M, top1_accuracy 75.5, confidence medium",
    ]


def test_lines_fit_80_columns(cli):
    done = cli("search")
    # A v2 name has no slash to break after, and is never broken elsewhere.
    wide = [line for line in done.out.splitlines() if len(line) > 80]
    assert all("/" not in line and len(line.split()) <= 2 for line in wide)
    assert done.out.isascii()
    assert "\n    also zoo:" in done.out


@pytest.mark.parametrize(
    ("options", "test"),
    [
        (["--stub", "*segmentation*"], lambda one: "segmentation" in one["stub"]),
        (["--domain", "nl*"], lambda one: one["model"]["domain"] in ("nlp", "nlg")),
        (["--sub-domain", "detection"], lambda one: one["model"]["sub_domain"] == "detection"),
        (["--architecture", "resnet_v1-*"], lambda one: "resnet_v1-" in one["stub"]),
        (["--sub-architecture", "50"], lambda one: one["model"]["sub_architecture"] == "50"),
        (["--framework", "keras"], lambda one: "/keras/" in one["stub"]),
        (["--repo", "torchvision"], lambda one: "/torchvision/" in one["stub"]),
        (["--dataset", "squad"], lambda one: one["model"]["source_dataset"].startswith("squad")),
        (["--training-scheme", "aug*"], lambda one: "-augmented/" in one["stub"]),
        (["--sparse-tag", "pruned9*"], lambda one: "pruned9" in one["stub"]),
        (["--optimization", "quantized"], lambda one: one["model"]["optimization"] == "quantized"),
        (["--confidence", "low", "--confidence", "medium"],
         lambda one: one["model"]["confidence"] in ("low", "medium")),
        (["--min-sparsity", "90"], lambda one: one["model"]["sparsity_percent"] >= 90),
        (["--min-size", "1.3B"], lambda one: one["dense_millions"] >= 1300),
        (["--max-size", "5m"], lambda one: one["dense_millions"] <= 5),
        (["--max-size", "5000K"], lambda one: one["dense_millions"] <= 5),
        (["--max-size", "5000000"], lambda one: one["dense_millions"] <= 5),
        (["--quality-known"], lambda one: one["quality"] is not None),
    ],
)  # fmt: skip
def test_filters(cli, options, test):
    everything = cli("search", "--json").json["models"]
    answer = cli("search", "--json", *options).json
    assert 0 < answer["total"] < len(everything)
    assert all(test(one) for one in answer["models"])


def test_the_filters_find_all_there_is(cli):
    everything = cli("search", "--json").json["models"]
    small = [one["stub"] for one in everything if (one["dense_millions"] or 1e9) <= 5]
    assert stubs(cli("search", "--max-size", "5M", "--quiet")) == small
    big = [one["stub"] for one in everything if (one["dense_millions"] or 0) > 5]
    unknown = [one["stub"] for one in everything if one["dense_millions"] is None]
    assert len(small) + len(big) + len(unknown) == 396


@pytest.mark.parametrize("key", ["size", "quality", "sparsity"])
@pytest.mark.parametrize("reverse", [False, True])
def test_sorted_with_the_unknown_last(cli, key, reverse):
    options = ["--sort", key, *(["--reverse"] if reverse else [])]
    models = cli("search", "ic", "--json", *options).json["models"]
    values = [
        one["model"].get("sparsity_percent")
        if key == "sparsity"
        else one[{"size": "dense_millions"}.get(key, key)]
        for one in models
    ]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=not reverse)
    assert values[: len(known)] == known
    assert len(known) > 3


def test_pages_add_up_to_the_whole(cli):
    whole = stubs(cli("search", "ic", "--quiet"))
    pages = [
        stubs(cli("search", "ic", "--quiet", "--page", page, "--page-length", 30))
        for page in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [30, 30, 30, len(whole) - 90]
    assert [stub for page in pages for stub in page] == whole


def test_a_page_says_where_it_stands(cli):
    first = cli("search", "ic", "--page", "1")
    assert first.err == "note: 1 to 20 of 94 models; next: --page 2\n"
    assert cli("search", "ic", "--page", "5").err == "note: 81 to 94 of 94 models\n"
    answer = cli("search", "ic", "--page", "2", "--json").json
    assert (answer["page"], answer["page_length"], answer["pages"], answer["total"]) == (
        2, 20, 5, 94,
    )  # fmt: skip
    assert len(answer["models"]) == 20


def test_no_page_further(cli):
    done = cli("search", "ic", "--page", "6")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: there is no page 6\nhint: the last page is 5\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--page", "0"], "--page"),
        (["--page-length", "0"], "--page-length"),
        (["--page", "x"], "--page"),
        (["--min-sparsity", "nan"], "minimum sparsity"),
        (["--min-sparsity", "0.9"], "minimum sparsity"),
        (["--min-sparsity", "much"], "--min-sparsity"),
        (["--sort", "colour"], "unknown sort order 'colour'"),
        (["--optimization", "small"], "unknown optimization 'small'"),
        (["--confidence", "sure"], "unknown confidence 'sure'"),
        *((["--min-size", size], f"size {size!r}")
          for size in ("", "M", ".", "-5M", "1e6", "5MM", "٣M", "5 M", "nan", "1.2.3B")),
    ],
)  # fmt: skip
def test_wrong_options(cli, options, message):
    done = cli("search", *options, "--json")
    assert done.code == 2
    assert message in done.errors[0]
    assert done.json["error"]["type"] == "UsageError"
    assert done.json["error"]["hint"]


def test_nothing_found(cli):
    done = cli("search", "--stub", "nothing")
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines()[0] == "error: none of the 430 models in the catalog matches"
    assert done.err.splitlines()[1].startswith("hint: ")
    assert cli("search", "--stub", "nothing", "--json").json["error"]["exit_code"] == 3
