"""Broken, newer, hand-edited and hostile lock files: refused in a line, by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lock.locks import STUBS, locks, model, pin
from zooselect.errors import IntegrityError
from zooselect.lock import parse
from zooselect.lock.lock import Lock
from zooselect.lock.parse import from_toml
from zooselect.lock.write import to_toml

GOOD = to_toml(Lock.of([pin(), pin(level=0.2, dataset="own")], [model()])).decode()
DIGEST = "a" * 64


def refusal(content):
    with pytest.raises(IntegrityError) as caught:
        from_toml(content if isinstance(content, bytes) else content.encode(), "z.lock")
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value.message


def test_this_one_is_read():
    assert len(from_toml(GOOD.encode(), "z.lock").pins) == 2
    assert from_toml(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(), "") == from_toml(
        GOOD.encode(), ""
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema = 1", "schema = 2", "z.lock has schema 2, and this zooselect reads schema 1"),
        ("schema = 1", "schema = true", "z.lock, line 2: `schema` is not 1"),
        ("schema = 1", "", "z.lock: `schema` is not 1"),
        ("schema = 1", "schema = 1\nmore = 1", "z.lock, line 3: unknown key 'more'"),
        ("[[pin]]\n", "[[pin]]\narchitcture = 'x'\n", "line 5: unknown key 'architcture'"),
        ("[[pin]]", "[pin]", "z.lock: not TOML: "),
        ("= 0.9", "= 1.5", "line 18: optim level 1.5 is outside 0.0 to 1.0"),
        ("= 0.9", "= nan", "line 18: optim level nan is outside"),
        ("= 0.9", "= 'x'", "line 18: optim level 'x' is not a number"),
        ("optim_level = 0.9", "", "line 16: `optim_level` is missing"),
        ("optim_level = 0.9", "optim_level = 0.2\ndataset = 'own'", "line 16: the same question"),
        ('"image_classification"', '"image_clasification"', "line 5: unknown task"),
        ('"sparse-transfer"', '"one-shot"', "line 7: `mode` is not sparse-transfer"),
        ('dataset = "own"', "dataset = 1", "line 8: `dataset` is no text"),
        ("policy = 1", "policy = -1", "line 9: `policy` is no whole number from 0"),
        ("policy = 1", "strict = 1", "line 9: `strict` is neither true nor false"),
        ("exact = true", "exact = false", "line 11: `wanted` and `got`"),
        ("exact = true", 'exact = true\nwanted = "base"', "line 11: `wanted` and `got`"),
        (STUBS[1], "zoo:nothing", "line 10: `stub` is no stub"),
        (STUBS[1], STUBS[1][4:], "line 10: `stub` is not written"),
        ("model.onnx", "../model.onnx", "line 31: the file name '../model.onnx' has the path"),
        ("model.onnx", "/model.onnx", "line 31: the file name '/model.onnx' has an absolute"),
        ("size = 7", "size = -7", "line 31: file 'model.onnx': `size` is no whole number"),
        ("size = 7", "length = 7", "line 31: a file has a `name`"),
        (DIGEST, "A" * 64, "line 31: file 'model.onnx': `sha256` is not 64 lower-case hex"),
        ("    { name", "    { name = 'MODEL.onnx' },\n    { name", "line 31: two names in `files`"),
        ("    { name", "    { name = 'model.onnx' },\n    { name", "line 31: two names in `files`"),
        ("files = [", "file = [", "line 31: unknown key 'file' in [[model]]"),
    ],
)  # fmt: skip
def test_refused(old, new, message):
    assert old in GOOD
    assert message in refusal(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "z.lock: `schema` is not 1"),
        (b"schema = 1\n\n\xff", "z.lock, line 3: not UTF-8"),
        (b"\x00", "not TOML"),
        (b"<<<<<<< HEAD\nschema = 1", "not TOML: Invalid statement (at line 1, column 1)"),
        (b"schema = 1\na = " + b"[" * 100_000, "z.lock"),
        (b"schema = " + b"9" * 10_000, "z.lock"),
        (b"schema = 1\npin = 1", "z.lock, line 2: `pin` is not an array"),
        (b"schema = 1\npin = [1]", "z.lock: [[pin]] is not a table"),
        (b"schema = 1\npin = [{}]", "z.lock: `task` is missing"),
        (b"schema = 1\n[[model]]\nstub = 'a'", "z.lock, line 2: `files` is not a list"),
    ],
)
def test_no_lock_file(content, message):
    assert message in refusal(content)


def test_a_huge_file_is_not_parsed(monkeypatch):
    monkeypatch.setattr(parse, "LARGEST", 1 << 20)
    assert "larger than 1 MiB" in refusal(b"#" * ((1 << 20) + 1))


@given(locks, st.data())
def test_a_damaged_file_is_refused_or_a_lock(lock, data):
    content = bytearray(to_toml(lock))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = from_toml(bytes(content), "z.lock")
    except IntegrityError:
        return
    assert from_toml(to_toml(found), "z.lock") == found
