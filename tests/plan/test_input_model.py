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


def _network(path, first="Relu", zeros=0):
    """A file with three layers of 100 weights, so many of each zero."""
    np, onnx = pytest.importorskip("numpy"), pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    values = np.ones((10, 10, 1, 1), np.float32)
    values.ravel()[:zeros] = 0
    names = "abc"
    graph = helper.make_graph(
        [
            helper.make_node(first, ["x"], ["0"]),
            *(helper.make_node("Conv", [str(at), one], [str(at + 1)])
              for at, one in enumerate(names)),
        ],
        "net",
        [helper.make_tensor_value_info("x", kind, None)],
        [helper.make_tensor_value_info("3", kind, None)],
        [onnx.numpy_helper.from_array(values, one) for one in names],
    )  # fmt: skip
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.mark.parametrize("mode", ["one-shot", "training-aware"])
@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"first": "QuantizeLinear"}, "quantized already: 1 x QuantizeLinear"),
        ({"zeros": 10}, "sparse already: 10.0%"),
    ],
)
def test_a_file_already_quantized_or_sparse_is_refused_but_by_force(tmp_path, mode, made, message):
    path = _network(tmp_path / "m.onnx", **made)
    with pytest.raises(UsageError, match=message) as caught:
        resolve("ic", 0.5, mode, model=path)
    assert "--force" in caught.value.hint
    assert resolve("ic", 0.5, mode, model=path, force=True).plan.sparsity


def test_a_file_with_few_zeros_is_dense(tmp_path):
    assert resolve("ic", 0.5, "one-shot", model=_network(tmp_path / "m.onnx", zeros=9)).plan


def test_weights_that_are_not_here_are_not_counted(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = _network(tmp_path / "m.onnx", zeros=50)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="w", size_threshold=0)
    with pytest.raises(UsageError, match="sparse already"):
        resolve("ic", 0.5, "one-shot", model=path)
    (tmp_path / "w").unlink()
    assert resolve("ic", 0.5, "one-shot", model=path).plan
