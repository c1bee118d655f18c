"""`zooselect show`."""

import pytest

from zooselect import Catalog

V1 = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none"
PAIR = next(
    one
    for one in Catalog.embedded()
    if one.stub.count("/") and one.to_dict().get("probable_alias")
)  # fmt: skip
OTHER = PAIR.to_dict().get("probable_alias")["stub"]
AMBIGUOUS = next(one for one in Catalog.embedded() if one.ambiguous_with)
LOW = next(one for one in Catalog.embedded() if one.confidence == "low")


@pytest.mark.parametrize("name", [V1, V1.removeprefix("zoo:"), V1 + "?recipe=transfer"])
def test_text_for_people(cli, name):
    done = cli("show", name)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == V1
    facts = {line[2:17].strip(): line[17:] for line in lines[1:] if line[2:17].strip()}
    assert facts["task"] == "cv/classification"
    assert facts["architecture"] == "resnet_v1-50"
    assert facts["dense size"] == "25.56 M parameters (published)"
    assert (facts["framework"], facts["repo"]) == ("pytorch", "sparseml")
    assert facts["data set"] == "imagenet"
    assert facts["optimization"] == "base (base-none)"
    assert facts["confidence"] == "high"
    assert facts["result"].startswith("top1_accuracy 76.1 % on imagenet")
    assert done.out.isprintable() or set(done.out) - {"\n"} <= set(map(chr, range(32, 127)))


def test_json(cli):
    done = cli("show", V1 + "?recipe=transfer", "--json")
    assert (done.code, done.err) == (0, "")
    answer = done.json
    assert (answer["schema"], answer["requested"]) == (1, V1 + "?recipe=transfer")
    assert answer["stub"] == answer["model"]["stub"] == V1
    assert answer["model"] == Catalog.embedded().find(V1).to_dict()
    assert answer["provenance"]["source"] == "snapshot"
    assert (answer["metric"], answer["quality"]) == ("top1_accuracy", 76.1)


@pytest.mark.parametrize(("name", "also"), [(PAIR.stub, OTHER), (OTHER, PAIR.stub)])
def test_either_name_of_a_model_is_its_own_record(cli, name, also):
    answer = cli("show", name, "--json").json
    assert (answer["stub"], answer["model"]["stub"]) == (name, name)
    assert also in answer["aliases"]
    assert f"also           {also}" in cli("show", name).out


def test_an_alias_on_record(cli, catalog_file):
    path = catalog_file([{"stub": V1, "stub_v2": "zoo:resnet-imagenet-base"}])
    done = cli("show", "resnet-imagenet-base", "--catalog", path)
    assert done.out.splitlines()[0] == V1
    assert done.err == "note: zoo:resnet-imagenet-base is another name of this model\n"


def test_doubts_are_told(cli):
    assert "may never have been published" in cli("show", LOW.stub).err
    assert cli("show", LOW.stub, "--quiet").err == ""
    done = cli("show", AMBIGUOUS.stub)
    assert all(name in done.err for name in AMBIGUOUS.ambiguous_with)
    answer = cli("show", AMBIGUOUS.stub, "--json").json
    assert answer["ambiguous_with"] == list(AMBIGUOUS.ambiguous_with)


@pytest.mark.parametrize("stub", [one.stub for one in Catalog.embedded()][::20])
def test_any_model(cli, stub):
    assert cli("show", stub).out.startswith(stub + "\n")
    assert cli("show", stub, "--json").json["stub"] == stub


def test_a_text_that_is_no_stub(cli):
    done = cli("show", "zoo:cv/classification/x y", "--json")
    assert done.code == 2
    assert done.json["error"]["type"] == "StubError"
    assert "' ' at character 24 does not fit" in done.errors[0]


def test_not_in_the_catalog(cli):
    done = cli("show", V1.replace("sparseml", "sparsml"))
    assert (done.code, done.out) == (3, "")
    assert "is not in the catalog" in done.errors[0]
    assert done.err.splitlines()[1].startswith("hint: closest: zoo:cv/classification/")
    assert V1 in done.err.splitlines()[1]


def test_a_source_without_a_commit(cli, catalog_file):
    path = catalog_file([{"stub": V1, "sources": [{"repo": "a/b", "path": "c.md"}]}])
    assert "  source         a/b c.md\n" in cli("show", V1, "--catalog", path).out
