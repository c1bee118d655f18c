"""Several processes at one mirror, with no lock between them, and writers that die."""

import hashlib
import os
import random
import signal
import time

import pytest

from tests.mirror.samples import everything, files_of, fork, network, new, put, write
from zooselect import UsageError
from zooselect.mirror.publish import remove
from zooselect.mirror.store import Mirror
from zooselect.mirror.verify import verify

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

STUB = "zoo:labnet-imagenet-base"


@pytest.fixture
def mirror(tmp_path):
    """An empty mirror."""
    return new(tmp_path / "zoo")


@pytest.fixture
def versions(tmp_path):
    """Two versions of a model, in folders."""
    return [write(tmp_path / f"v{seed}", files_of(seed)) for seed in (0, 1)]


def wait(children):
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(
        children
    )


def assert_sound(mirror):
    found = verify(mirror.root)
    assert found.damage == ()
    assert not found.compiled
    assert not [path for path in everything(mirror.root) if ".zooselect-" in path]


@pytest.mark.parametrize("writers", [2, 8])
def test_writers_of_many_models_lose_none(mirror, versions, writers):
    each = 24 // writers

    def work(number):
        for index in range(each):
            put(mirror, f"zoo:net{number}x{index}-imagenet-base", versions[0] / "model.onnx")

    wait([fork(lambda number=number: work(number)) for number in range(writers)])
    wanted = [f"zoo:net{n}x{i}-imagenet-base" for n in range(writers) for i in range(each)]
    assert [model.record.stub for model in mirror.models()] == sorted(wanted)
    assert_sound(mirror)
    assert verify(mirror.root).stray == ()


@pytest.mark.parametrize("writers", [2, 8])
def test_writers_of_one_model_end_with_one_whole_version(mirror, versions, writers):
    def work(number):
        for index in range(24 // writers):
            put(mirror, STUB, versions[(number + index) % 2], replace=True)

    wait([fork(lambda number=number: work(number)) for number in range(writers)])
    (model,) = mirror.models()
    assert model.record.stub == STUB
    assert_sound(mirror)


def test_writers_that_add_and_remove(mirror, versions):
    put(mirror, "zoo:stays-imagenet-base", versions[0])

    def work(number):
        stub = f"zoo:net{number % 2}-imagenet-base"
        for _ in range(6):
            put(mirror, stub, versions[0] / "model.onnx", replace=True)
            try:
                remove(mirror, stub)
            except LookupError:
                continue  # another was quicker

    wait([fork(lambda number=number: work(number)) for number in range(4)])
    stubs = [model.record.stub for model in mirror.models()]
    assert "zoo:stays-imagenet-base" in stubs
    assert_sound(mirror)


def test_a_reader_never_sees_mixed_content(mirror, versions):
    put(mirror, STUB, versions[0])

    def work():
        for index in range(30):
            put(mirror, STUB, versions[(index + 1) % 2], replace=True)

    writer, seen, whole = fork(work), set(), 0
    while os.waitpid(writer, os.WNOHANG) == (0, 0):
        (model,) = Mirror.open(mirror.root).models()
        seen.add(model.folder)
        try:
            for file in model.files:
                content = mirror.file_path(model, file.name).read_bytes()
                assert hashlib.sha256(content).hexdigest() == file.sha256
            whole += 1
        except FileNotFoundError:
            continue  # replaced since the catalog was read: gone, not mixed
    assert len(seen) == 2
    assert whole > 5
    assert_sound(mirror)


def test_a_check_while_a_writer_replaces(mirror, versions):
    put(mirror, STUB, versions[0])

    def work():
        for index in range(20):
            put(mirror, STUB, versions[(index + 1) % 2], replace=True)

    writer = fork(work)
    while os.waitpid(writer, os.WNOHANG) == (0, 0):
        assert verify(mirror.root).damage == ()


def test_a_killed_writer_leaves_a_good_mirror(mirror, versions):
    chance = random.Random(7)
    write(versions[0], {"model.onnx": network(5, 400)})
    put(mirror, "zoo:stays-imagenet-base", versions[0])
    started = time.perf_counter()
    put(mirror, STUB, versions[1], replace=True)
    whole = time.perf_counter() - started
    outcomes = set()
    for turn in range(48):
        gone = turn % 3 == 2

        def work(turn=turn, gone=gone):
            if gone:
                remove(mirror, STUB)
            put(mirror, STUB, versions[turn % 2], replace=True)

        child = fork(work)
        time.sleep(chance.random() * whole * 1.5)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stubs = [model.record.stub for model in Mirror.open(mirror.root).models()]
        found = verify(mirror.root)
        assert found.damage == ()
        models = {model.record.stub: model for model in mirror.models()}
        assert "zoo:stays-imagenet-base" in models
        outcomes.add((len(stubs), found.compiled, bool(found.stray)))
    assert len(outcomes) > 1
    # An hour later nothing is left of them.
    for path in mirror.root.rglob("*"):
        os.utime(path, (1, 1))
    put(mirror, STUB, versions[0], replace=True)
    assert verify(mirror.root).stray == ()
    assert_sound(mirror)


def test_a_killed_import_is_taken_up_again(mirror, tmp_path):
    from zooselect.mirror.adopt import adopt

    for index in range(12):
        write(tmp_path / f"cache/neuralmagic/net{index:02}-imagenet-base", files_of(0))
    child = fork(lambda: adopt(mirror, tmp_path / "cache"))
    time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert verify(mirror.root).damage == ()
    done = adopt(mirror, tmp_path / "cache")
    assert len(done.adopted) + sum(one.present for one in done.skipped) == 12
    assert len(mirror.models()) == 12


def test_of_two_that_add_at_once_the_second_is_told_or_replaces(mirror, versions):
    def work():
        try:
            put(mirror, STUB, versions[0])
        except UsageError:
            return

    wait([fork(work) for _ in range(4)])
    assert len(mirror.models()) == 1
    assert_sound(mirror)
