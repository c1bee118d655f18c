"""Dense sizes: the table first, then the record, then an estimate."""

import pytest

from zooselect.catalog.dense_size import DenseSize, architecture_sizes, dense_sizes
from zooselect.catalog.parse import parse_models

TABLE = {("known", "s"): DenseSize(10.0, "published")}


def sizes(*items):
    records = parse_models(items).records
    return dense_sizes(records, TABLE, records)


def test_the_order_of_sources():
    found = sizes(
        {"stub": "zoo:known-s-d-base", "parameters_millions": 99},
        {"stub": "zoo:own-s-d-base", "parameters_millions": 7, "onnx_size_bytes": 4_000_000},
        {"stub": "zoo:file-s-d-base", "onnx_size_bytes": 8_000_000, "compressed_size_bytes": 4},
        {"stub": "zoo:packed-s-d-base", "compressed_size_bytes": 6_000_000},
        {"stub": "zoo:unknown-s-d-base"},
    )
    assert found == {
        "zoo:known-s-d-base": (10.0, "published"),
        "zoo:own-s-d-base": (7.0, "record"),
        "zoo:file-s-d-base": (2.0, "estimate"),
        "zoo:packed-s-d-base": (1.5, "estimate"),
    }


def test_an_estimate_comes_from_a_base_model_of_the_same_network():
    base = {"stub": "zoo:new-s-d-base", "onnx_size_bytes": 4_000_000}
    pruned = {"stub": "zoo:new-s-d-pruned90", "onnx_size_bytes": 999}
    other = {"stub": "zoo:new-m-d-pruned90"}
    found = sizes(pruned, other, base)
    assert found["zoo:new-s-d-pruned90"] == (1.0, "estimate")
    assert "zoo:new-m-d-pruned90" not in found
    assert sizes(pruned) == {}


def test_an_uncompressed_file_says_more_than_a_compressed_one():
    packed = {"stub": "zoo:new-s-a-base", "compressed_size_bytes": 4_000_000}
    plain = {"stub": "zoo:new-s-b-base", "onnx_size_bytes": 8_000_000}
    assert set(sizes(packed, plain).values()) == {(2.0, "estimate")}


def test_estimates_do_not_depend_on_order():
    items = [
        {"stub": f"zoo:new-s-{name}-base", "onnx_size_bytes": bytes_}
        for name, bytes_ in (("b", 8_000_000), ("a", 4_000_000), ("c", 400))
    ]
    assert sizes(*items) == sizes(*reversed(items))
    assert set(sizes(*items).values()) == {(1.0, "estimate")}


def test_peers_are_asked_for_estimates_only():
    record, peer = parse_models(
        [
            {"stub": "zoo:new-s-d-pruned90"},
            {"stub": "zoo:new-s-e-base", "onnx_size_bytes": 4_000_000},
        ]
    ).records
    assert dense_sizes([record], TABLE, [peer]) == {record.stub: (1.0, "estimate")}


@pytest.mark.parametrize(
    ("network", "millions", "basis"),
    [
        (("resnet_v1", "50"), 25.56, "published"),
        (("bert", "base"), 109.48, "computed"),
        (("obert", "large"), 335.14, "inferred"),
        (("distilbert", None), 66.36, "computed"),
        (("inception_v3", None), 23.83, "published"),
    ],
)
def test_the_embedded_table(network, millions, basis):
    assert architecture_sizes()[network] == (millions, basis)


def test_the_embedded_table_as_a_whole():
    table = architecture_sizes()
    assert {size.basis for size in table.values()} == {"published", "computed", "inferred"}
    assert all(size.millions > 0 for size in table.values())
    assert ("nothing", None) not in table
