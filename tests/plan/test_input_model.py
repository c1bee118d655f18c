import pytest

from zooselect import Catalog, NotFoundError, UsageError, resolve
from zooselect.catalog.asked import AtHand
from zooselect.plan.input_model import input_model

BASE = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none"
PRUNED = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned95_quant-none"


@pytest.fixture(scope="module")
def catalog():
    return AtHand(Catalog.embedded())


def test_a_base_stub(catalog):
    assert input_model(catalog, BASE).record.stub == BASE


def test_a_pruned_stub_is_refused_but_by_force(catalog):
    with pytest.raises(UsageError, match="is pruned_quantized already") as caught:
        input_model(catalog, PRUNED)
    assert "--force" in caught.value.hint
    assert input_model(catalog, PRUNED, force=True).record.stub == PRUNED


def test_what_exists_is_never_taken_for_a_stub(catalog, tmp_path, monkeypatch):
    # This name is a valid v2 stub.
    (tmp_path / "resnet-50-finetuned").mkdir()
    monkeypatch.chdir(tmp_path)
    assert input_model(catalog, "resnet-50-finetuned")[:2] == (None, None)
    monkeypatch.chdir("/")
    with pytest.raises(NotFoundError):
        input_model(catalog, "resnet-50-finetuned")


def test_neither_path_nor_stub(catalog):
    with pytest.raises(UsageError, match="neither a file, a folder nor a stub"):
        input_model(catalog, "no such/thing")


def test_own_task_and_own_model(tmp_path):
    path = tmp_path / "model.pth"
    path.touch()
    selection = resolve("count my sheep", 0.5, "one-shot", model=path)
    assert (selection.task, selection.stub, selection.model) == ("count my sheep", None, None)
    assert selection.to_dict()["plan"]["sparsity"] == selection.plan.sparsity


@pytest.mark.parametrize(
    ("task", "mode", "options"),
    [
        ("count my sheep", "one-shot", {}),
        ("count my sheep", "training-aware", {"model": BASE}),
        ("Schafe zählen", "one-shot", {"model": BASE}),
        ("two\nlines", "one-shot", {"model": BASE}),
        ("  ", "one-shot", {"model": BASE}),
        ("ic", "sparse-transfer", {"model": BASE}),
        ("ic", "sparse-transfer", {"sparsity_scope": "model"}),
    ],
)
def test_what_a_mode_does_not_take(task, mode, options):
    with pytest.raises(UsageError):
        resolve(task, 0.5, mode, **options)


def test_without_a_model_the_medium_base_model_is_taken_and_disclosed():
    selection = resolve("qa", 0.5, "training-aware")
    assert selection.model.optimization == "base"
    assert selection.size_classes[2]["tiers"] == ["medium"]
    assert selection.size_classes[2]["largest_millions"] >= selection.dense_millions
    assert any("medium tier's base model" in note for note in selection.notes)


def test_shapes_by_name_are_a_model_of_ones_own():
    shapes = {"conv1.weight": (8, 3, 3, 3), "b.weight": (8, 8, 3, 3), "fc.weight": (2, 8)}
    selection = resolve("sheep", 0.5, "one-shot", layers=shapes)
    assert (selection.task, selection.stub) == ("sheep", None)
    assert [one.name for one in selection.plan.layers.pruned] == ["b.weight"]


@pytest.mark.parametrize("layers", ["layers.txt"])
def test_a_text_is_no_list_of_lines(layers):
    with pytest.raises(UsageError, match="one text"):
        resolve("ic", 0.5, "one-shot", layers=layers)
