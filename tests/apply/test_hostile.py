"""Models and samples as no exporter should write them, and as some do."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.apply.networks import FLOAT, Builder, write_samples
from zooselect.apply import apply
from zooselect.errors import IntegrityError, LocalFileError, UsageError

SHAPE = ["batch", 16]


def mlp():
    """Two layers; the first is the one to prune."""
    b = Builder()
    b.weight("first.weight", 16, 32)
    x = b.op("Relu", b.op("MatMul", "x", "first.weight", name="a"))
    b.weight("last.weight", 32, 5)
    b.op("MatMul", x, "last.weight", name="y")
    return b.model({"x": SHAPE}, "y", ["batch", 5])


@pytest.fixture
def samples(tmp_path):
    inputs = np.random.default_rng(3).normal(size=(3, 16)).astype(np.float32)
    return write_samples(tmp_path / "data", {"x": inputs})


def tensor(model, name):
    return next(one for one in model.graph.initializer if one.name == name)


def cut_tensor(model):
    weight = tensor(model, "first.weight")
    weight.raw_data = weight.raw_data[:100]


def no_type(model):
    tensor(model, "last.weight").data_type = 99


def twice(model):
    model.graph.initializer.append(tensor(model, "first.weight"))


def circle(model):
    model.graph.node[0].input[1] = "w"
    model.graph.node.insert(0, helper.make_node("Identity", ["w"], ["w"]))


def cast_to_nothing(model):
    model.graph.node[0].input[1] = "w"
    model.graph.node.insert(0, helper.make_node("Cast", ["first.weight"], ["w"]))


def cast_to_text(model):
    cast_to_nothing(model)
    model.graph.node[0].attribute.append(helper.make_attribute("to", TensorProto.STRING))


def wrong_order(model):
    model.graph.node[0].input[1] = "w"
    model.graph.node.insert(0, helper.make_node("Transpose", ["first.weight"], ["w"], perm=[0, 5]))


def bare_constant(model):
    model.graph.node.insert(0, helper.make_node("Constant", [], ["w"]))


def no_output_shape(model):
    model.graph.output[0].type.tensor_type.ClearField("shape")


def unknown_operator(model):
    model.graph.node[1].domain = "acme"
    model.opset_import.append(helper.make_opsetid("acme", 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut_tensor, "'first.weight' has 100 bytes, its shape says 2048"),
        (no_type, "'last.weight' is of no type"),
        (twice, "the model is not valid ONNX"),
        (circle, "the model is not valid ONNX"),
        (cast_to_nothing, "the model is not valid ONNX"),
        (cast_to_text, "onnxruntime does not take the model"),
        (wrong_order, "'first.weight' cannot be transposed"),
        (bare_constant, "onnxruntime does not take the model"),
        (no_output_shape, "the model is not valid ONNX: Field 'shape'"),
        (unknown_operator, "onnxruntime does not take the model"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_broken_model_is_a_clean_error(tmp_path, samples, change, message):
    model = mlp()
    change(model)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(IntegrityError) as caught:
        apply(tmp_path / "m.onnx", 0.1, tmp_path / "out.onnx", data=samples)
    assert message in str(caught.value)
    assert ".zooselect-" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["data", "m.onnx"]


def test_weights_inside_an_if_come_along(tmp_path, samples):
    model = mlp()
    inner = numpy_helper.from_array(np.ones((32, 32), np.float32), "first.weight_quantized")
    result = helper.make_tensor_value_info("then", FLOAT, ["batch", 32])
    branch = helper.make_graph(
        [helper.make_node("MatMul", ["a", "first.weight_quantized"], ["then"])],
        "then", [], [result], [inner],
    )  # fmt: skip
    constant = numpy_helper.from_array(np.eye(32, dtype=np.float32))
    result = helper.make_tensor_value_info("else", FLOAT, ["batch", 32])
    other = helper.make_graph(
        [
            helper.make_node("Constant", [], ["two"], value=constant),
            helper.make_node("MatMul", ["a", "two"], ["else"]),
        ],
        "else", [], [result],
    )  # fmt: skip
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    node = helper.make_node("If", ["yes"], ["chosen"], then_branch=branch, else_branch=other)
    model.graph.node.insert(1, node)
    model.graph.node[2].input[0] = "chosen"
    onnx.save(model, tmp_path / "m.onnx")
    report = apply(tmp_path / "m.onnx", 0.5, tmp_path / "out.onnx", data=samples)
    assert {one.name: one.used_by for one in report.unreached} == {
        "first.weight_quantized": ("MatMul inside If",),
        "two": ("MatMul inside If",),
    }
    assert report.measured.drift_from_pruned.relative_error < 0.05


def test_two_copies_of_a_weight_are_both_counted(tmp_path, samples):
    b = Builder()
    b.weight("stem.weight", 16, 24)
    x = b.op("MatMul", "x", "stem.weight")
    b.weight("body_quantized", 24, 24)
    x = b.op("Gemm", x, "body_quantized")
    x = b.op("Gemm", x, "body_quantized", transB=1)
    b.weight("last.weight", 24, 5)
    b.op("MatMul", x, "last.weight", name="y")
    onnx.save(b.model({"x": SHAPE}, "y", ["batch", 5]), tmp_path / "m.onnx")
    report = apply(tmp_path / "m.onnx", 0.5, tmp_path / "out.onnx", data=samples)
    (shared,) = (one for one in report.layers if one.name == "body_quantized")
    written = {one.name: one for one in onnx.load(tmp_path / "out.onnx").graph.initializer}
    copies = [
        numpy_helper.to_array(one)
        for name, one in written.items()
        if name.startswith("body_quantized_quantized") and list(one.dims) == [24, 24]
    ]
    assert shared.zeros == min(np.sum(one == 0) for one in copies) >= shared.planned_zeros
    assert len(copies) == 2


def test_masks_of_infinity_are_compared(tmp_path, samples):
    model = mlp()
    mask = np.array([0, -np.inf, 0, 0, -np.inf], np.float32)
    model.graph.initializer.append(numpy_helper.from_array(mask, "mask"))
    model.graph.node[-1].output[0] = "open"
    model.graph.node.append(helper.make_node("Add", ["open", "mask"], ["y"]))
    onnx.save(model, tmp_path / "m.onnx")
    report = apply(tmp_path / "m.onnx", 0.1, tmp_path / "out.onnx", data=samples)
    assert 0 < report.measured.drift.relative_error < 0.05


def test_an_old_model_with_functions_is_refused(tmp_path, samples):
    model = mlp()
    own = [helper.make_opsetid("", 11)]
    double = helper.make_function("own", "Double", ["a"], ["b"],
                                  [helper.make_node("Add", ["a", "a"], ["b"])], own)  # fmt: skip
    model.functions.append(double)
    model.opset_import[0].version = 11
    model.opset_import.append(helper.make_opsetid("own", 1))
    model.graph.node[1].CopyFrom(
        helper.make_node("Double", ["a"], list(model.graph.node[1].output), domain="own")
    )
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(UsageError, match="functions of its own"):
        apply(tmp_path / "m.onnx", 0.5, tmp_path / "out.onnx", data=samples)


def test_an_error_names_the_sample(tmp_path, samples):
    onnx.save(mlp(), tmp_path / "m.onnx")
    np.savez(samples / "bad.npz", x=np.full(16, 3e38, np.float32))
    with pytest.raises(IntegrityError, match=r"bad\.npz: the network computes"):
        apply(tmp_path / "m.onnx", 0.5, tmp_path / "out.onnx", data=samples)
    np.savez(samples / "bad.npz", x=np.zeros((0, 16), np.float32))
    with pytest.raises(UsageError, match=r"bad\.npz: .* found float32 \[0, 16\]"):
        apply(tmp_path / "m.onnx", 0.5, tmp_path / "out.onnx", data=samples)
    (samples / "bad.npz").unlink()
    os.mkfifo(samples / "bad.npz")
    with pytest.raises(LocalFileError, match=r"bad\.npz: no regular file"):
        apply(tmp_path / "m.onnx", 0.5, tmp_path / "out.onnx", data=samples)


def test_a_sample_the_network_stumbles_over_is_named(tmp_path):
    b = Builder()
    b.weight("table", 7, 16)
    b.weight("head.weight", 16, 4)
    b.op("MatMul", b.op("Gather", "table", "ids"), "head.weight", name="y")
    model = b.model({"ids": ["batch"]}, "y", ["batch", 4], check=False)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    onnx.save(model, tmp_path / "m.onnx")
    data = write_samples(tmp_path / "data", {"ids": np.array([[1], [99]])}, batch=False)
    with pytest.raises(UsageError, match=r"001\.npz: the model does not run"):
        apply(tmp_path / "m.onnx", 0.1, tmp_path / "out.onnx", data=data)


def test_a_dry_run_needs_no_room_beside_the_model(tmp_path, monkeypatch):
    onnx.save(mlp(), tmp_path / "m.onnx")
    made = []
    monkeypatch.setattr("zooselect.apply.one_shot.working_folder", _noting(made))
    apply(tmp_path / "m.onnx", 0.5, dry_run=True)
    assert tmp_path not in made


def _noting(made):
    from zooselect.apply.write import working_folder

    def note(parent):
        made.append(parent)
        return working_folder(parent)

    return note


def test_what_runs_in_float_is_told(tmp_path):
    b = Builder()
    b.weight("row", 1, 24)  # a bias as a row is as good as any
    b.weight("first.weight", 16, 24)
    x = b.op("Gemm", "x", "first.weight", "row")
    b.weight("second.weight", 24, 24)
    x = b.op("Gemm", x, "second.weight", "row", beta=0.5)
    b.weight("last.weight", 24, 5)
    b.op("Gemm", x, "last.weight", name="y")
    onnx.save(b.model({"x": SHAPE}, "y", ["batch", 5]), tmp_path / "m.onnx")
    data = write_samples(tmp_path / "data", {"x": np.eye(16, dtype=np.float32)[:3]})
    report = apply(tmp_path / "m.onnx", 0.1, tmp_path / "out.onnx", data=data)
    assert report.measured.operators_run["Gemm"] == 1
    assert report.measured.in_integers == 2
    assert "onnxruntime ran 2 of 3 INT8 operators in integers" in " ".join(report.notes)
    assert report.measured.drift.relative_error < 0.02


def test_a_norm_of_another_size_stays(tmp_path, samples):
    model = mlp()
    for part in ("scale", "shift", "mean", "variance"):
        model.graph.initializer.append(numpy_helper.from_array(np.ones(5, np.float32), part))
    model.graph.node[0].op_type = "Gemm"
    model.graph.node[1].CopyFrom(
        helper.make_node(
            "BatchNormalization",
            ["a", "scale", "shift", "mean", "variance"],
            list(model.graph.node[1].output),
        )
    )
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(UsageError, match=r"000\.npz: the model does not run on it"):
        apply(tmp_path / "m.onnx", 0.1, tmp_path / "out.onnx", data=samples)
