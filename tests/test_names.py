"""Names of files inside a model: none leaves its folder, whatever it says."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect.names import collisions, safe_name

HOSTILE = [
    "", "/", "/etc/passwd", "//host/share", ".", "..", "../x", "a/../b", "a/..", "./a", "a/./b",
    "a//b", "a/", "\\x", "..\\x", "a\\..\\b", "C:x", "C:/x", "c:\\x", "a:stream", "a\0b", "a\nb",
    "a\r\nSet-Cookie: x",
    "a\x7f", "a\x1b[2J", "a\u2028b", "con", "CON", "nul.txt", "aux.onnx", "COM1",
    "lpt9.tar.gz", "com¹", "a/PRN/b", "CONIN$", "con .txt", "a.", "a ", "a./b", "b /c", "...",
    "a" * 256, "é" * 128, "x/" * 600 + "x", "\ud800", ".zooselect-x", "a/.ZOOSELECT-b", "a*", "a?b",
    'a"b', "a<b", "a>b", "a|b", None, 1, b"a", ["a"],
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_refused(name):
    with pytest.raises(ValueError, match=r"."):
        safe_name(name)


@pytest.mark.parametrize(
    "name",
    ["model.onnx", "deployment/config.json", "a/b/c", ".gitattributes", "a" * 255, "con1", "é.md",
     "recipe_x-y.md", "a b", "...a", "nullable.txt", "模型.onnx"],
)  # fmt: skip
def test_plain_names_pass_as_they_are(name):
    assert safe_name(name) == name


@given(st.text(max_size=40) | st.lists(st.sampled_from([*"./\\:~ aC", ".."])).map("".join))
def test_what_passes_stays_inside(name):
    try:
        safe = safe_name(name)
    except ValueError:
        return
    whole = os.path.normpath(os.path.join("/base/model", safe))
    assert whole == "/base/model/" + safe


@pytest.mark.parametrize(
    ("names", "clash"),
    [
        (["a", "b", "a/b"], [("a", "a/b")]),
        (["A", "a"], [("A", "a")]),
        (["x/Model.onnx", "x/model.onnx"], [("x/Model.onnx", "x/model.onnx")]),
        (["caf\u00e9", "cafe\u0301"], [("cafe\u0301", "caf\u00e9")]),
        (["stra\u00dfe", "strasse"], [("strasse", "stra\u00dfe")]),
        (["a/b/c", "A/B"], [("A/B", "a/b/c")]),
        (["a/b", "a/c", "b/a", "ab"], []),
        (["a", "a"], []),
    ],
)
def test_collisions(names, clash):
    assert collisions(names) == clash
