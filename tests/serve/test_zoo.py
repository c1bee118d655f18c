"""What is served, and how the old clients' arguments choose from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serve.zoos import BASE, BERT, FILES, model, write_catalog, zoo_of
from zooselect.errors import IntegrityError, LocalFileError
from zooselect.mirror.store import Mirror
from zooselect.serve.zoo import Zoo

TAGS = ("base-none", "pruned90_quant-none", "pruned90_quant-none-vnni", "pruned90-conservative")


@pytest.fixture
def zoo(tmp_path):
    return zoo_of(
        tmp_path,
        *(model(BASE + tag) for tag in TAGS),
        model(BASE.replace("imagenet/", "imagenet-augmented/") + "base-none"),
        model(
            BERT + "base-none",
            stub_v2="zoo:bert-base-wikipedia-sst2-base",
            source_dataset_v2="wikipedia",
            sparse_tag_v2="base",
        ),
    )


def stubs(models):
    return [one.record.stub for one in models]


def test_no_argument_is_every_model_plain_ones_first(zoo):
    assert len(zoo.select({})) == 6
    assert stubs(zoo.select({"domain": "cv"}))[-1].endswith("imagenet-augmented/base-none")
    place = {
        "domain": "cv", "task": "classification", "architecture": "resnet_v1",
        "subArchitecture": "50", "framework": "pytorch", "repo": "sparseml",
        "sourceDataset": "imagenet", "sparseTag": "base-none",
    }  # fmt: skip
    assert stubs(zoo.select(place)) == [
        BASE + "base-none",
        BASE.replace("imagenet/", "imagenet-augmented/") + "base-none",
    ]
    for name in place:
        assert zoo.select({**place, name: "other"}) == ()
        assert zoo.select({**place, name: None}) != ()


def test_partial_tags(zoo):
    def found(tag):
        return [stub.rpartition("/")[2] for stub in stubs(zoo.select({"sparseTag": tag}))]

    assert found("pruned90_quant") == ["pruned90_quant-none", "pruned90_quant-none-vnni"]
    assert found("pruned90_quant-none") == ["pruned90_quant-none"]
    assert found("pruned90") == ["pruned90-conservative"]
    assert found("base") == ["base-none"]  # a tag on record, before one cut short
    assert found("pruned9") == found("pruned90_quant-") == found("") == found("none") == []


def test_names(zoo):
    for name in (BERT + "base-none", "zoo:bert-base-wikipedia-sst2-base"):
        for given_name in (name, name.removeprefix("zoo:")):
            assert stubs(zoo.named(given_name)) == [BERT + "base-none"]
            assert stubs(zoo.select({"repoName": given_name})) == [BERT + "base-none"]
            assert stubs(zoo.select({"stub": given_name})) == [BERT + "base-none"]
    assert zoo.named("zoo:zoo:bert-base-wikipedia-sst2-base") == ()
    assert zoo.select({"repoName": BERT + "base-none", "stub": BASE + "base-none"}) == ()
    assert zoo.select({"repoName": BERT + "base-none", "domain": "cv"}) == ()
    assert zoo.select({"stub": BERT + "base-none", "isPubliclyVisible": False}) == ()
    assert len(zoo.select({"stub": BERT + "base-none", "isPubliclyVisible": True})) == 1
    assert len(zoo.select({"sourceDataset": "wikipedia"})) == 1


def test_every_model_is_found_by_the_name_it_is_listed_under(zoo):
    for one in zoo.models:
        assert zoo.named(zoo.repo_name[one.record.stub]) == (one,)
        assert zoo.select({"modelId": one.model_id}) == (one,)


def test_files_by_v2_and_flat_name(zoo):
    one = zoo.named(BASE + "base-none")[0]

    def name(wanted):
        found = zoo.file(one.model_id, wanted)
        assert found is None or found[0] is one
        return found and found[1].name

    for file in FILES:
        assert name(file) == file
    assert name("original.md") == "recipe.md"
    assert name("transfer.md") == "recipe_transfer.md"
    assert name("weights.pth") == "training/weights.pth"
    for odd in ("config.json", "../catalog.json", "", "training/", "training//weights.pth", "/"):
        assert name(odd) is None
    assert zoo.file("other", "model.onnx") is None


def test_two_models_of_one_id_never_hand_out_each_others_files(tmp_path):
    zoo = zoo_of(
        tmp_path,
        model(BASE + "base-none", {"model.onnx": b"one"}, model_id="same", folder="models/1"),
        model(BASE + "pruned-none", {"model.onnx": b"two"}, model_id="same", folder="models/2"),
    )
    assert stubs(zoo.models) == [BASE + "base-none"]
    assert zoo.by_path.keys() == {"models/1/model.onnx"}


def test_broken_mirrors(tmp_path):
    with pytest.raises(LocalFileError):
        Zoo.read(Mirror(tmp_path))
    for content in ("", "[]", "{}", '{"schema": 2, "models": []}', "[" * 100_000, "\x00"):
        (tmp_path / "catalog.json").write_text(content)
        with pytest.raises(IntegrityError):
            Zoo.read(Mirror(tmp_path))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["stub", "model_id", "folder", "files", "throughput", "results", "stub_v1", "stub_v2",
             "sparse_tag", "sparse_tag_v2", "source_dataset_v2", "domain", "training_scheme"]
        ),
        json_values,
        max_size=3,
    )
)  # fmt: skip
def test_one_odd_record_never_loses_the_others(tmp_path_factory, odd):
    folder = tmp_path_factory.mktemp("zoo")
    sound, hostile = model(BASE + "base-none")[0], model(BASE + "pruned-none")[0]
    write_catalog(folder, [sound, {**hostile, **odd}])
    zoo = Zoo.read(Mirror(folder))
    assert BASE + "base-none" in stubs(zoo.models)
    assert zoo.select({"repoName": BASE + "base-none", "sparseTag": "base"})
