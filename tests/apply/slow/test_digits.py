"""A trained network: the level is a knob between size and quality."""

import pytest

from tests.apply.slow import digits


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return digits.axis(tmp_path_factory.mktemp("digits"))


def test_quality_against_level(rows, capsys):
    with capsys.disabled():
        print("\n" + digits.table(rows))
    by_layer = {level: right for level, scope, _, right, _ in rows if scope == "layer"}
    assert by_layer[0.0] > 0.97
    assert by_layer[0.1] > by_layer[0.0] - 0.01  # INT8 alone costs next to nothing
    assert by_layer[0.3] > by_layer[0.0] - 0.04
    assert by_layer[1.0] < by_layer[0.5]  # and 80 % without training costs much


def test_size_falls_with_the_level(rows):
    sizes = [packed for level, scope, _, _, packed in rows if scope == "layer" and level > 0]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.6 * sizes[0]


def test_the_picture_is_well_formed(rows):
    from xml.etree import ElementTree as Tree

    root = Tree.fromstring(digits.svg(rows))
    assert len(root.findall(".//{*}polyline")) == 2
