import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from zooselect.errors import IntegrityError, LocalFileError, UsageError
from zooselect.plan.layers import HEAD, STEM, sort_layers
from zooselect.plan.onnx_layers import graph_layers, load


def onnx_layers(path):
    return sort_layers(*graph_layers(load(path).graph))


def save(path, nodes, weights):
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in weights],
    )
    onnx.save(helper.make_model(graph), path)
    return str(path)


@pytest.fixture
def detector(tmp_path):
    """A stem, a body with a branch, and two heads."""
    return save(
        tmp_path / "m.onnx",
        [
            helper.make_node("Conv", ["x", "model.0.conv.weight"], ["a"]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Conv", ["b", "model.1.conv.weight"], ["c"]),
            helper.make_node("Add", ["b", "c"], ["d"]),
            helper.make_node("Transpose", ["model.2.fc.weight"], ["t"]),
            helper.make_node("MatMul", ["d", "t"], ["e"]),
            helper.make_node("Conv", ["e", "model.24.m.0.weight"], ["p"]),
            helper.make_node("Conv", ["e", "model.24.m.1.weight"], ["q"]),
            helper.make_node("Concat", ["p", "q"], ["y"], axis=0),
        ],
        [
            ("model.0.conv.weight", (8, 3, 3, 3)),
            ("model.1.conv.weight", (8, 8, 3, 3)),
            ("model.2.fc.weight", (16, 8)),
            ("model.24.m.0.weight", (2, 8, 1, 1)),
            ("model.24.m.1.weight", (2, 8, 1, 1)),
        ],
    )


def test_places_come_from_the_graph(detector):
    layers = onnx_layers(detector)
    assert [one.name for one in layers.pruned] == ["model.1.conv.weight", "model.2.fc.weight"]
    assert {one.name: why for one, why in layers.dense} == {
        "model.0.conv.weight": STEM,
        "model.24.m.0.weight": HEAD,
        "model.24.m.1.weight": HEAD,
    }
    assert layers.pruned[1].shape == (16, 8)
    assert layers.named


def test_names_an_exporter_made_up_are_known_for_it(tmp_path):
    path = save(
        tmp_path / "m.onnx",
        [
            helper.make_node("Conv", ["x", "onnx::Conv_1"], ["a"]),
            helper.make_node("Conv", ["a", "onnx::Conv_2"], ["b"]),
            helper.make_node("Conv", ["b", "onnx::Conv_3"], ["y"]),
        ],
        [(f"onnx::Conv_{index}", (4, 4, 1, 1)) for index in (1, 2, 3)],
    )
    layers = onnx_layers(path)
    assert not layers.named
    assert layers.share == pytest.approx(1 / 3)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x00" * 64, b"<html>503</html>"])
def test_what_is_no_model_is_named_so(tmp_path, content):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="not an ONNX model"):
        onnx_layers(str(path))


def test_missing_file(tmp_path):
    with pytest.raises(LocalFileError, match="No such file"):
        onnx_layers(str(tmp_path / "none.onnx"))


def test_missing_package(monkeypatch, detector):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError) as caught:
        onnx_layers(detector)
    assert "zooselect[onnx]" in caught.value.hint


def test_constants_are_weights_too_and_other_domains_are_not(tmp_path):
    tensor = numpy_helper.from_array(np.zeros((8, 8), np.float32))
    path = save(
        tmp_path / "m.onnx",
        [
            helper.make_node("MatMul", ["x", "first"], ["a"]),
            helper.make_node("Constant", [], ["second"], value=tensor),
            helper.make_node("MatMul", ["a", "second"], ["b"]),
            helper.make_node("MatMul", ["b", "third"], ["c"], domain="of.mine"),
            helper.make_node("MatMul", ["c", "last"], ["y"]),
        ],
        [("first", (4, 8)), ("third", (8, 8)), ("last", (8, 2))],
    )
    layers = onnx_layers(path)
    assert [one.name for one in layers.pruned] == ["first", "second"]
    assert layers.pruned[1].shape == (8, 8)


def test_what_an_inner_graph_takes_from_outside_stands_before_it(tmp_path):
    branches = [
        helper.make_graph(
            [helper.make_node("Relu", ["a"], [name])],
            name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
        )
        for name in ("one", "other")
    ]  # fmt: skip
    path = save(
        tmp_path / "m.onnx",
        [
            helper.make_node("Conv", ["x", "first"], ["a"]),
            helper.make_node("If", ["x"], ["b"], then_branch=branches[0], else_branch=branches[1]),
            helper.make_node("Conv", ["b", "second"], ["c"]),
            helper.make_node("Conv", ["c", "last"], ["y"]),
        ],
        [(name, (4, 4, 3, 3)) for name in ("first", "second", "last")],
    )
    _, roles = graph_layers(onnx.load(path).graph)
    assert roles == {"first": STEM, "last": HEAD}


def test_a_fixed_projection_is_no_last_layer(tmp_path):
    path = save(
        tmp_path / "yolo.onnx",
        [
            helper.make_node("Conv", ["x", "model.0.conv.weight"], ["a"]),
            helper.make_node("Conv", ["a", "model.22.cv2.weight"], ["b"]),
            helper.make_node("Conv", ["b", "model.22.dfl.conv.weight"], ["y"]),
        ],
        [
            ("model.0.conv.weight", (8, 3, 3, 3)),
            ("model.22.cv2.weight", (16, 8, 1, 1)),
            ("model.22.dfl.conv.weight", (1, 16, 1, 1)),
        ],
    )
    layers, roles = graph_layers(onnx.load(path).graph)
    assert [layer.name for layer in layers] == ["model.0.conv.weight", "model.22.cv2.weight"]
    assert roles == {"model.0.conv.weight": STEM, "model.22.cv2.weight": HEAD}
