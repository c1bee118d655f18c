import io
import pickle
import zipfile

import numpy as np
import onnx
import pytest
from onnx import helper

from zooselect.apply.network import open_network
from zooselect.apply.samples import inputs_of, make_up, read_folder
from zooselect.errors import IntegrityError, LocalFileError, UsageError


@pytest.fixture
def inputs(tmp_path):
    """A picture of any batch, ids of a table of 7 rows, and a number."""
    float_, int_ = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["g"]),
            helper.make_node("Identity", ["x"], ["y"]),
        ],
        "net",
        [
            helper.make_tensor_value_info("x", float_, ["batch", 3, 8, 8]),
            helper.make_tensor_value_info("ids", int_, ["batch", "length"]),
            helper.make_tensor_value_info("rate", int_, []),
        ],
        [helper.make_tensor_value_info("y", float_, None)],
        [onnx.numpy_helper.from_array(np.zeros((7, 4), np.float32), "table")],
    )
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    (tmp_path / "work").mkdir()
    return inputs_of(open_network(tmp_path / "m.onnx", tmp_path / "work"))


GOOD = {
    "x": np.ones((3, 8, 8), np.float32),
    "ids": np.array([1, 2, 3]),
    "rate": np.array(16000),
}


@pytest.fixture
def folder(tmp_path):
    """Write one sample into a folder."""

    def write(name="a.npz", /, **arrays):
        path = tmp_path / "data"
        path.mkdir(exist_ok=True)
        np.savez(path / name, **arrays)
        return path

    return write


@pytest.mark.parametrize("batch", [False, True])
def test_good_samples(inputs, folder, batch):
    sample = dict(GOOD)
    if batch:
        sample |= {name: GOOD[name][None] for name in ("x", "ids")}
    samples = read_folder(folder(**sample, label=np.array(3)), inputs, 10)
    (read,) = list(samples)
    assert {name: array.shape for name, array in read.items()} == {
        "x": (1, 3, 8, 8),
        "ids": (1, 3),
        "rate": (),
    }
    assert read["x"].dtype == np.float32
    assert not samples.synthetic


def test_the_first_by_name(inputs, folder):
    for name in ("b.npz", "a.npz", "c.npz"):
        path = folder(name, **GOOD | {"rate": np.array(ord(name[0]))})
    (path / "notes.txt").write_text("no sample")
    samples = read_folder(path, inputs, 2)
    assert [int(one["rate"]) for one in samples] == [ord("a"), ord("b")]
    assert len(samples) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.ones((3, 8, 9), np.float32)}, r"'x' takes float32 \[batch, 3, 8, 8\].*3, 8, 9"),
        ({"x": np.ones((8, 8), np.float32)}, r"'x' takes float32 \[batch, 3, 8, 8\].*\[8, 8\]"),
        ({"x": np.ones((3, 8, 8))}, r"found float64 \[3, 8, 8\]"),
        ({"ids": np.array([1], np.int32)}, r"'ids' takes int64 \[batch, any\].*found int32 \[1\]"),
        ({"x": np.full((3, 8, 8), np.nan, np.float32)}, "'x' has NaN"),
    ],
)
def test_a_sample_that_does_not_fit(inputs, folder, change, message):
    path = folder("bad.npz", **GOOD | change)
    with pytest.raises(UsageError, match=message) as caught:
        list(read_folder(path, inputs, 10))
    assert "bad.npz" in caught.value.message


def test_a_missing_input(inputs, folder):
    path = folder(x=GOOD["x"], tokens=GOOD["ids"], rate=GOOD["rate"])
    with pytest.raises(UsageError, match=r"no array for the input 'ids'; found rate, tokens, x"):
        read_folder(path, inputs, 10)


def test_no_samples(inputs, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no \.npz file"):
        read_folder(tmp_path / "empty", inputs, 10)
    with pytest.raises(LocalFileError, match="No such file"):
        read_folder(tmp_path / "none", inputs, 10)


def _npy(header):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _zip(x):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", x)
    return packed.getvalue()


class Trap:
    """What must not be unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def _pickled():
    packed = io.BytesIO()
    np.savez(packed, x=np.array([Trap()], dtype=object))
    return packed.getvalue()


HOSTILE = {
    "empty": b"",
    "error page": b"<html>503</html>",
    "cut": _zip(_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 8, 8), }"))[:-30],
    "pickle": pickle.dumps(Trap()),
    "pickled array": _pickled(),
    "bomb": _zip(_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1 << 40, ), }")),
    "huge": _zip(_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }")),
    "no npy": _zip(b"hello"),
    "code": _zip(_npy("__import__('os').system('false')")),
    "no data": _zip(_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 8, 8), }")),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_a_clean_error(inputs, tmp_path, kind):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bad.npz").write_bytes(HOSTILE[kind])
    with pytest.raises(IntegrityError, match=r"bad\.npz is no sound \.npz file"):
        list(read_folder(tmp_path / "data", inputs[:1], 10))


def test_a_large_claim_is_refused_before_it_is_unpacked(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr("zooselect.apply.samples.LARGEST_ARRAY", 100)
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "big.npz", **GOOD)
    with pytest.raises(IntegrityError, match="768 bytes"):
        read_folder(tmp_path / "data", inputs, 10)


def test_made_up_samples(inputs):
    samples = make_up(inputs, 3)
    first, second = list(samples), list(samples)
    assert len(first) == 3
    assert samples.synthetic
    assert all(
        np.array_equal(a[name], b[name]) for a, b in zip(first, second, strict=True) for name in a
    )
    assert first[0]["x"].shape == (1, 3, 8, 8)
    assert first[0]["ids"].max() < 7
    assert first[0]["rate"].shape == ()
