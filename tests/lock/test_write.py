"""A lock is the same bytes whoever writes it, and comes back from them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lock.locks import STUBS, locks, model, models, pin, pins
from zooselect.lock.lock import Lock
from zooselect.lock.parse import from_toml
from zooselect.lock.write import text, to_toml


@given(locks)
def test_what_is_written_is_read(lock):
    content = to_toml(lock)
    assert from_toml(content, "a.lock") == lock
    assert to_toml(from_toml(content, "a.lock")) == content


@given(pins, models, st.randoms())
def test_order_does_not_matter(pins, models, chance):
    lock = Lock.of(pins, models)
    mixed_pins, mixed_models = list(lock.pins), list(lock.models)
    random.Random(chance.random()).shuffle(mixed_pins)
    chance.shuffle(mixed_models)
    assert to_toml(Lock.of(mixed_pins, mixed_models)) == to_toml(lock)


def test_the_file_as_it_stands():
    lock = Lock.of([pin(dataset='my "own"\n', strict=True)], [model()])
    assert (
        to_toml(lock).decode()
        == f"""\
# Written by `zooselect lock`, which also changes it: `lock add`, `lock rm`, `lock --upgrade`.
schema = 1

[[pin]]
task = "image_classification"
optim_level = 0.9
mode = "sparse-transfer"
dataset = "my \\"own\\"\\u000A"
strict = true
policy = 1
stub = "{STUBS[1]}"
exact = true
catalog_source = "mirror"
catalog_location = "zoo/catalog.json"
catalog_digest = "sha256:{"0" * 64}"

[[model]]
stub = "{STUBS[1]}"
files_source = "mirror"
files_location = "zoo"
files = [
    {{ name = "model.onnx", size = 7, sha256 = "{"a" * 64}", md5 = "{"b" * 32}" }},
]
"""
    )


def test_the_last_of_a_question_stays_and_models_nobody_picked_go():
    lock = Lock.of([pin(STUBS[0]), pin(STUBS[1])], [model(stub=STUBS[0]), model()])
    assert [one.stub for one in lock.pins] == [STUBS[1]]
    assert [one.stub for one in lock.models] == [STUBS[1]]


def test_a_dataset_without_a_name_is_another_question():
    assert len(Lock.of([pin(), pin(dataset="")], []).pins) == 2


def test_what_does_not_print_is_escaped():
    assert text("ü\x1b[31m\u202e\U000e0001\x7f") == '"ü\\u001B[31m\\u202E\\U000E0001\\u007F"'
    with pytest.raises(ValueError, match="Unicode"):
        text("\ud800")
