"""Keys and values as text."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zooselect.cache import value
from zooselect.cache.value import key_of, pack, unpack

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)  # fmt: skip
JSON = st.recursive(
    SCALARS, lambda some: st.lists(some) | st.dictionaries(st.text(), some), max_leaves=12
)


def told_apart(one):
    """A form in which 1, 1.0 and True, and 0.0 and -0.0, are not equal as they are in Python."""
    if isinstance(one, dict):
        return {name: told_apart(some) for name, some in one.items()}
    if isinstance(one, list):
        return [told_apart(some) for some in one]
    return type(one), repr(one)


@given(st.lists(JSON, max_size=3), st.lists(JSON, max_size=3))
def test_keys_are_injective(one, other):
    assume(told_apart(one) != told_apart(other))
    assert key_of(*one) != key_of(*other)


@given(st.lists(JSON, max_size=3))
def test_keys_hold_all_of_their_parts(parts):
    assert told_apart(json.loads(key_of(*parts))) == told_apart(parts)


def test_keys_that_are_easily_one():
    parts = [(), ("",), ("a", "b"), ("ab",), ("a,b",), ('a","b',), (["a", "b"],), (1,), (1.0,),
             (True,), ("1",), (None,), ("null",), ({"1": 2},), ({},), ([],)]  # fmt: skip
    assert len({key_of(*one) for one in parts}) == len(parts)


def test_the_order_of_names_does_not_matter():
    assert key_of({"a": 1, "b": {"c": 2, "d": 3}}) == key_of({"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize("part", [float("nan"), {1: "a"}, [{"a": ({None: 1},)}], b"a", {1, 2}])
def test_what_is_no_json_is_no_key(part):
    with pytest.raises((TypeError, ValueError)):
        key_of(part)


@given(st.text(), JSON)
def test_any_document_comes_back(key, document):
    assert told_apart(unpack(key, pack(key, document))) == told_apart(document)


@given(JSON)
def test_a_value_is_json(document):
    text = pack("key", document)
    assert told_apart(json.loads(text)["document"]) == told_apart(document)


@given(st.data())
def test_a_changed_character_is_no_answer(data):
    text = pack("key", {"models": ["a", "b"], "etag": None})
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda one: one != text[position]))
    with pytest.raises(ValueError):  # noqa: PT011
        unpack("key", text[:position] + other + text[position + 1 :])


@pytest.mark.parametrize("cut", [0, 1, 10, 75, 76, 90, -1])
def test_a_cut_value_is_no_answer(cut):
    with pytest.raises(ValueError):  # noqa: PT011
        unpack("key", pack("key", {"models": ["a", "b"]})[:cut])


def test_a_value_belongs_to_its_key():
    with pytest.raises(ValueError, match="not the document that was stored"):
        unpack("key 2", pack("key 1", [1]))


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", "[1,]"])
def test_a_right_digest_does_not_make_it_json(text):
    stored = f'{{"sha256":"{value._digest("key", text)}","document":{text}}}'
    with pytest.raises(ValueError):  # noqa: PT011
        unpack("key", stored)


def test_long_and_deep_and_foreign_documents(monkeypatch):
    deep = []
    for _ in range(200_000):
        deep = [deep]
    for document in (deep, {1, 2}, float("inf")):
        with pytest.raises((TypeError, ValueError, RecursionError)):
            pack("key", document)
    with pytest.raises(ValueError, match="surrogates"):
        pack("\ud800", 1)
    monkeypatch.setattr(value, "VALUE_LIMIT", 100)
    assert pack("key", "a")
    with pytest.raises(ValueError, match="longer than 100"):
        pack("key", "a" * 100)
