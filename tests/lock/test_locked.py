"""What is here already, and what a server lists, beside what is pinned."""

import pytest

from tests.lock.locks import MD5, SHA, STUBS, model, pin
from zooselect.downloads.listing import Listing, RemoteFile
from zooselect.downloads.manifest import Manifest, Origin
from zooselect.errors import LockError, StubError
from zooselect.lock.lock import Lock, LockedFile
from zooselect.lock.locked import PinnedModel, pinned_models

LOCK = Lock.of(
    [pin(), pin(STUBS[0], 0.1), pin(STUBS[2], task="od")], [model(), model(stub=STUBS[0])]
)


@pytest.mark.parametrize(
    ("file", "origin", "holds"),
    [
        ((7, SHA, MD5), (7, SHA, None), True),
        ((None, SHA, None), (7, SHA, None), True),
        ((7, None, MD5), (7, "c" * 64, MD5), True),
        ((8, SHA, None), (7, SHA, None), False),
        ((7, "c" * 64, MD5), (7, SHA, MD5), False),
        ((7, None, MD5), (7, SHA, None), False),
        ((7, None, None), (7, SHA, MD5), False),
        ((7, SHA, None), None, False),
    ],
)
def test_what_is_here(file, origin, holds):
    pinned = PinnedModel(model(LockedFile("model.onnx", *file)), "z.lock")
    origins = {} if origin is None else {"model.onnx": Origin(*origin)}
    blank = dict.fromkeys(Manifest._fields, ())
    assert pinned.holds(Manifest(**{**blank, "origins": origins})) is holds


def listing(*files):
    return Listing(STUBS[1], (STUBS[1],), files, "api", "http://zoo")


def test_a_listing_gets_what_is_pinned_and_nobody_states():
    pinned = PinnedModel(model(), "z.lock")
    card = RemoteFile("model.md", "card", "http://zoo/b")
    network = RemoteFile("model.onnx", "onnx", "http://zoo/a")
    checked = pinned.checked(listing(network, card))
    assert checked.files == (network._replace(size=7, sha256=SHA, md5=MD5, pinned=True), card)


@pytest.mark.parametrize(
    "files",
    [
        [],
        [RemoteFile("model.md", "card", "a")],
        [RemoteFile("model.onnx", "onnx", "a", 8)],
        [RemoteFile("model.onnx", "onnx", "a", 7, "c" * 64)],
        [RemoteFile("model.onnx", "onnx", "a"), RemoteFile("model.data", "onnx", "a")],
    ],
)
def test_another_listing_is_refused(files):
    with pytest.raises(LockError, match=r"z\.lock"):
        PinnedModel(model(), "z.lock").checked(listing(*files))


@pytest.mark.parametrize(
    ("what", "level", "stubs"),
    [
        ([STUBS[1]], None, [STUBS[1]]),
        ([STUBS[1][4:], "ic"], None, [STUBS[1], STUBS[0]]),
        (["image-classification"], 0.1, [STUBS[0]]),
    ],
)
def test_which_models(what, level, stubs):
    assert [one.stub for one in pinned_models(LOCK, what, level, "z.lock")] == stubs


@pytest.mark.parametrize(
    ("what", "level"),
    [([], None), (["od"], None), ([STUBS[3]], None), (["ic"], 0.5), (["qa"], None)],
)
def test_not_pinned_or_without_files(what, level):
    with pytest.raises(LockError):
        pinned_models(LOCK, what, level, "z.lock")


def test_neither_task_nor_stub():
    with pytest.raises(StubError):
        pinned_models(LOCK, ["nothing"], None, "z.lock")
