"""The whole way, on real networks: what is in the file, counted by other means than our own."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

import zooselect
from tests.apply.networks import ALL, normed, write_samples
from zooselect.apply import apply
from zooselect.apply.network import Network
from zooselect.errors import IntegrityError, LocalFileError, UsageError

LEVELS = [0.0, 0.1, 0.3, 0.5, 0.77, 1.0]
SPARSITY = {0.3: 0.40, 0.5: 0.40 + 0.2 / 0.7 * 0.4, 0.77: 0.40 + 0.47 / 0.7 * 0.4, 1.0: 0.80}
#: Weights the rules leave dense: first convolution, last layers, embeddings by name.
DENSE = {
    "residual": {"conv1.weight", "fc.weight"},
    "transformer": {"classifier.weight"},
    "normed": {"conv1.weight", "fc.weight"},
    "hidden": {"head.weight"},
    "shared": {"stem.weight", "head.weight"},
}
LAYERS = {"residual": 10, "transformer": 14, "normed": 5, "hidden": 5, "shared": 3}


def int8_weights(path):
    """Weights of an ONNX file that are int8, by name, and whether all zero points are 0."""
    tensors = {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    weights = {
        name.removesuffix("_quantized"): array
        for name, array in tensors.items()
        if array.dtype == np.int8 and name.endswith("_quantized")
    }
    points = [tensors[f"{name}_quantized_zero_point"] for name in weights]
    return weights, not any(point.any() for point in points)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ALL)
def test_zeros_and_integers_are_as_planned(applied, name, level):
    model, _, out, report = applied(name, level)
    if level == 0.0:
        assert out.read_bytes() == model.read_bytes()
        return
    weights, symmetric = int8_weights(out)
    assert symmetric
    assert len(weights) == LAYERS[name]
    if level < 0.3:
        assert report.sparsity is None
        return
    pruned = set(weights) - DENSE[name]
    assert {one.name for one in report.pruned} == pruned
    for one in report.pruned:
        array = weights[one.name]
        assert one.planned_zeros == round(SPARSITY[level] * array.size)
        assert one.zeros == np.sum(array == 0) >= one.planned_zeros
        # Rounding adds what is below half a step, and not more than a few.
        assert one.zeros - one.planned_zeros <= 0.02 * array.size
    for dense in DENSE[name]:
        assert np.mean(weights[dense] == 0) < 0.1


@pytest.mark.parametrize("name", ALL)
def test_the_file_is_sound_and_says_where_it_is_from(applied, name):
    model, _, out, report = applied(name, 0.5)
    onnx.checker.check_model(str(out), full_check=True)
    sessions = [
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        for path in (model, out)
    ]
    before, after = (
        [(one.name, one.type, one.shape) for one in (*each.get_inputs(), *each.get_outputs())]
        for each in sessions
    )
    assert before == after
    said = {one.key: one.value for one in onnx.load(out).metadata_props}
    assert said == {
        "zooselect.tool": "zooselect",
        "zooselect.version": zooselect.__version__,
        "zooselect.policy": "1",
        "zooselect.optim_level": "0.5",
        "zooselect.source_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
    }
    measured = report.measured
    assert measured.bytes_before == model.stat().st_size
    assert measured.bytes_after == out.stat().st_size
    packed = len(gzip.compress(out.read_bytes(), 6))
    assert measured.bytes_compressed == pytest.approx(packed, rel=0.01)
    assert os.listdir(out.parent) == ["out.onnx"]


def outputs(path, data):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    results = []
    for file in sorted(data.iterdir()):
        sample = {name: array[None] for name, array in np.load(file).items()}
        results.append(session.run(None, sample)[0])
    return np.concatenate(results)


@pytest.mark.parametrize("name", ["residual", "transformer", "normed", "hidden"])
def test_drift_is_what_running_both_shows(applied, name):
    model, data, out, report = applied(name, 0.5)
    drift = report.measured.drift
    one, other = outputs(model, data), outputs(out, data)
    error = np.linalg.norm(other - one) / np.linalg.norm(one)
    assert drift.relative_error == pytest.approx(error, rel=1e-3)
    if one.ndim == 2:
        agreement = np.mean(one.argmax(1) == other.argmax(1))
        assert drift.top1_agreement == pytest.approx(agreement)
    else:
        assert drift.top1_agreement is None


@pytest.mark.parametrize("name", ALL)
def test_quantization_alone_changes_little(applied, name):
    measured = applied(name, 0.1).report.measured
    assert measured.drift.relative_error < 0.15
    # Nothing was pruned: both comparisons are with the same numbers but for batch norms.
    assert measured.drift_from_pruned.relative_error == pytest.approx(
        measured.drift.relative_error, rel=1e-2
    )


def test_onnxruntime_runs_it_in_integers(applied, tmp_path):
    kinds = {}
    for name in ("residual", "transformer"):
        _, _, out, report = applied(name, 0.5)
        measured = report.measured
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
        onnxruntime.InferenceSession(str(out), options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(tmp_path / "optimized.onnx").graph.node
        kinds[name] = {one.op_type for one in nodes}
        # That is what the report says of it.
        assert measured.operators_run == Counter(one.op_type for one in nodes)
        assert measured.in_integers == measured.int8_nodes == LAYERS[name]
    assert "QLinearConv" in kinds["residual"]
    assert not {"Conv", "Gemm"} & kinds["residual"]
    assert "MatMulIntegerToFloat" in kinds["transformer"]


def test_level_is_the_same_plan_as_resolve(applied, cli):
    model, _, _, report = applied("normed", 0.77)
    plan = cli("resolve", "ic", "--mode", "one-shot", "-l", "0.77", "--model", model, "--json")
    assert {one.name for one in report.pruned} == set(plan.json["plan"]["layers"]["pruned"])
    assert report.plan.layer_sparsity == plan.json["plan"]["layer_sparsity"]


def test_global_scope_holds_the_total_and_no_layer_dies(network, tmp_path):
    model, data = network("transformer")
    options = {"data": data, "samples": 1, "scope": "global"}
    report = apply(model, 1.0, tmp_path / "out.onnx", **options)
    planned = [one.planned_zeros / one.numel for one in report.pruned]
    numel = sum(one.numel for one in report.pruned)
    assert sum(one.planned_zeros for one in report.pruned) == round(0.8 * numel)
    assert max(planned) <= 0.9
    assert max(planned) - min(planned) > 0.05


def test_two_processes_write_the_same_bytes(applied, tmp_path):
    model, data, known, _ = applied("normed", 0.5)
    out = tmp_path / "another name.onnx"
    subprocess.run(
        [sys.executable, "-m", "zooselect", "apply", model, "--data", data, "-o", out],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert out.read_bytes() == known.read_bytes()


def test_batch_norms_are_folded_where_a_layer_takes_them(applied):
    _, _, out, report = applied("normed", 0.1)
    assert (report.prepared.folded, report.prepared.left) == (3, 1)
    kinds = [one.op_type for one in onnx.load(out).graph.node]
    assert kinds.count("BatchNormalization") == 1


def test_an_older_opset_is_converted(network, tmp_path):
    old, _ = normed(opset=11)
    # As exporters of that time did, which listed weights among the inputs.
    old.ir_version = 3
    old.graph.input.extend(
        onnx.helper.make_tensor_value_info(one.name, one.data_type, one.dims)
        for one in old.graph.initializer
    )
    onnx.save(old, tmp_path / "old.onnx")
    report = apply(tmp_path / "old.onnx", 0.5, tmp_path / "out.onnx", data=network("normed").data)
    assert report.prepared.opset == 11
    assert "converted from opset 11 to 13" in report.notes
    assert [one.name for one in onnx.load(tmp_path / "out.onnx").graph.input] == ["x"]
    assert report.measured.drift_from_pruned.relative_error < 0.15


def test_a_looked_up_weight_stays_as_it_is_where_it_is_looked_up(applied):
    model, _, out, _ = applied("hidden", 1.0)
    before, after = (
        {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
        for path in (model, out)
    )
    assert np.array_equal(after["table.weight"], before["table.weight"])
    assert np.mean(after["table.weight.layer_quantized"] == 0) >= 0.8


def test_what_no_layer_reaches_is_named(applied):
    report = applied("hidden", 0.5).report
    found = {one.name: (one.numel, one.used_by) for one in report.unreached}
    assert found == {"left.weight": (16, ("MatMul",)), "table.weight": (576, ("Gather",))}
    assert any("592 weights" in note and "left.weight (MatMul)" in note for note in report.notes)


def test_excluded_layers_stay_float_and_ends_can_be_pruned(network, tmp_path):
    model, data = network("residual")
    out = tmp_path / "out.onnx"
    report = apply(model, 0.5, out, data=data, exclude=["layer2.0.conv1"], prune_ends=True)
    weights, _ = int8_weights(out)
    assert "layer2.0.conv1.weight" not in weights
    assert len(report.pruned) == 9
    assert np.mean(weights["fc.weight"] == 0) >= 0.51
    with pytest.raises(UsageError, match="no layer is called 'layer2'") as caught:
        apply(model, 0.5, out, data=data, exclude=["layer2"])
    assert "layer2.0" in caught.value.hint


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_external_data(applied, tmp_path, level, monkeypatch):
    model, data, embedded, _ = applied("residual", 0.5)
    source = tmp_path / "in" / "model.onnx"
    source.parent.mkdir()
    onnx.save(
        onnx.load(model), source, save_as_external_data=True, location="model.bin", size_threshold=0
    )
    out = tmp_path / "out" / "model.onnx"
    out.parent.mkdir()
    monkeypatch.setattr("zooselect.apply.write.LARGEST_FILE", 1000)
    report = apply(source, level, out, data=data)
    if level == 0.0:
        assert out.read_bytes() == source.read_bytes()
        assert (out.parent / "model.bin").read_bytes() == (source.parent / "model.bin").read_bytes()
        assert sorted(os.listdir(out.parent)) == ["model.bin", "model.onnx"]
        return
    assert sorted(os.listdir(out.parent)) == ["model.onnx", "model.onnx.data"]
    assert np.array_equal(outputs(out, data), outputs(embedded, data))
    digest = hashlib.sha256((source.parent / "model.bin").read_bytes()).hexdigest()
    said = {one.key: one.value for one in onnx.load(out).metadata_props}
    assert said["zooselect.source_sha256.model.bin"] == digest
    files = [source, source.parent / "model.bin"]
    assert report.measured.bytes_before == sum(one.stat().st_size for one in files)


def test_a_copy_never_takes_another_models_weights(network, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    source = tmp_path / "in" / "model.onnx"
    model = onnx.load(network("residual").model)
    onnx.save(model, source, save_as_external_data=True, location="w.bin", size_threshold=0)
    apply(source, 0.0, tmp_path / "in" / "copy.onnx")  # shares the weights beside it
    (tmp_path / "out" / "w.bin").write_bytes(b"another's")
    with pytest.raises(UsageError, match=r"w\.bin is another file"):
        apply(source, 0.0, tmp_path / "out" / "model.onnx")
    assert os.listdir(tmp_path / "out") == ["w.bin"]


@pytest.mark.parametrize("location", ["../model.bin", "/etc/passwd", "none.bin", ""])
def test_external_data_outside_the_folder_is_not_read(network, tmp_path, location):
    document = onnx.load(network("residual").model)
    tensor = document.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    (tmp_path / "in").mkdir()
    (tmp_path / "model.bin").write_bytes(b"\0" * 100_000)
    (tmp_path / "in" / "m.onnx").write_bytes(document.SerializeToString())
    with pytest.raises((IntegrityError, LocalFileError)):
        apply(tmp_path / "in" / "m.onnx", 0.5, tmp_path / "out.onnx", synthetic_data=1)
    assert not (tmp_path / "out.onnx").exists()


def test_quantized_and_sparse_inputs_are_refused(applied, tmp_path):
    model, data, once, _ = applied("residual", 0.5)
    with pytest.raises(UsageError, match="quantized already"):
        apply(once, 0.5, tmp_path / "twice.onnx", data=data)
    document = onnx.load(model)
    for tensor in document.graph.initializer:
        array = numpy_helper.to_array(tensor).copy()
        if array.ndim > 1:
            array.ravel()[::2] = 0
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    sparse = tmp_path / "sparse.onnx"
    onnx.save(document, sparse)
    with pytest.raises(UsageError, match=r"sparse already: 50\.\d%"):
        apply(sparse, 0.5, tmp_path / "out.onnx", data=data)
    assert not (tmp_path / "out.onnx").exists()
    report = apply(sparse, 0.3, tmp_path / "out.onnx", data=data, force=True)
    assert all(one.zeros >= 0.49 * one.numel for one in report.pruned)


def test_the_input_is_never_overwritten(network, tmp_path):
    model, data = network("shared")
    own = tmp_path / "model.onnx"
    own.write_bytes(model.read_bytes())
    link = tmp_path / "link.onnx"
    link.symlink_to(own)
    for target in (own, link):
        with pytest.raises(UsageError, match="overwrite the input"):
            apply(own, 0.5, target, data=data)
    assert own.read_bytes() == model.read_bytes()
    other = tmp_path / "other.onnx"
    other.write_bytes(b"old")
    apply(own, 0.5, other, data=data)
    assert other.read_bytes() != b"old"


def test_a_result_that_is_not_the_plan_is_not_written(network, tmp_path, monkeypatch):
    model, data = network("residual")
    prune = __import__("zooselect.apply.prune", fromlist=["zero_smallest"]).zero_smallest
    monkeypatch.setattr(
        "zooselect.apply.one_shot.zero_smallest", lambda array, count: prune(array, count // 2)
    )
    with pytest.raises(IntegrityError, match="were planned"):
        apply(model, 0.5, tmp_path / "out.onnx", data=data)
    assert os.listdir(tmp_path) == []


def test_an_interrupt_leaves_nothing(network, tmp_path):
    model, data = network("residual")

    def stop(step, done, of):
        if step == "measuring":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(model, 0.5, tmp_path / "out.onnx", data=data, progress=stop)
    assert os.listdir(tmp_path) == []


def test_a_weight_that_is_not_finite(network, tmp_path):
    document = onnx.load(network("residual").model)
    tensor = next(one for one in document.graph.initializer if one.name == "layer1.0.conv1.weight")
    array = numpy_helper.to_array(tensor).copy()
    array.ravel()[3] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(document, tmp_path / "nan.onnx")
    with pytest.raises(IntegrityError):
        apply(tmp_path / "nan.onnx", 0.1, tmp_path / "out.onnx", synthetic_data=2)
    assert not (tmp_path / "out.onnx").exists()


def test_without_samples_it_says_what_to_give(network, tmp_path):
    with pytest.raises(UsageError) as caught:
        apply(network("residual").model, 0.5, tmp_path / "out.onnx")
    assert "--data" in caught.value.hint
    assert "--synthetic-data" in caught.value.hint


def test_samples_with_their_batch_dimension_are_the_same(applied, tmp_path):
    _, inputs = ALL["normed"]()
    batched = write_samples(tmp_path / "batched", inputs, batch=True)
    model, _, known, _ = applied("normed", 0.5)
    apply(model, 0.5, tmp_path / "out.onnx", data=batched)
    assert (tmp_path / "out.onnx").read_bytes() == known.read_bytes()


def test_a_fixed_batch(network, tmp_path):
    model, _ = ALL["normed"]()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(model, tmp_path / "four.onnx")
    report = apply(tmp_path / "four.onnx", 0.5, tmp_path / "out.onnx", data=network("normed").data)
    assert report.samples == 8


def test_large_tensors_are_not_held_in_memory(network, tmp_path):
    from zooselect.apply.network import open_network

    opened = open_network(network("residual").model, tmp_path)
    assert isinstance(opened, Network)
    assert opened.model.ByteSize() < 0.1 * network("residual").model.stat().st_size


def test_report_is_json(applied):
    report = applied("residual", 0.5).report
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert document["pruned_layers"] == 8
    assert document["plan"]["layer_sparsity"] == pytest.approx(0.5142857)
    assert document["measured"]["operators"]["QuantizeLinear"] > 5
    assert document["layers"][0]["reason"] == "first convolution"


def test_a_name_that_is_no_text(network, tmp_path):
    content = network("residual").model.read_bytes()
    assert content.count(b"/layer2/0/") > 1
    (tmp_path / "m.onnx").write_bytes(content.replace(b"/layer2/0/", b"/layer2/\xff/"))
    with pytest.raises(IntegrityError, match=r"UTF-8|not an ONNX model"):
        apply(tmp_path / "m.onnx", 0.5, tmp_path / "out.onnx", synthetic_data=1)
    assert os.listdir(tmp_path) == ["m.onnx"]
