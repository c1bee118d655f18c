"""What is drift, what is told, and what is kept: without a catalog or a server."""

import pytest
from hypothesis import given

from tests.lock.locks import MD5, SEEN, SHA, STUBS, locks, model, pin
from zooselect.lock.ask import Files
from zooselect.lock.drift import NoPick, compare, file_drifts, merged
from zooselect.lock.lock import Lock, LockedFile

OTHER = SEEN._replace(digest="sha256:" + "1" * 64)
LOCK = Lock.of([pin()], [model()])


def found(lock=LOCK, picks=(), files=()):
    """What became of a lock when some of it is otherwise."""
    now = {one.key: one for one in lock.pins} | {one.key: one for one in picks}
    listed = {one.stub: Files(lock.model(one.stub)) for one in lock.pins}
    return compare(lock, now, listed | dict(files))


def kinds(report):
    return [(one.kind, one.locked, one.found) for one in report.drifts]


@given(locks)
def test_a_lock_does_not_drift_from_itself(lock):
    assert found(lock).drifts == ()


def test_a_changed_catalog_that_picks_the_same_is_told_alone():
    report = found(picks=[pin(seen=OTHER)])
    assert report == ((), ("zoo/catalog.json has changed; 1 pick is the same",))
    elsewhere = OTHER._replace(location="http://zoo")
    (note,) = found(picks=[pin(seen=elsewhere)]).notes
    assert note == "http://zoo answers, not zoo/catalog.json; 1 pick is the same"
    assert found(picks=[pin(seen=SEEN._replace(location="http://zoo"))]) == ((), ())


def test_another_pick():
    assert kinds(found(picks=[pin(STUBS[0], seen=OTHER)])) == [("pick", STUBS[1], STUBS[0])]


def test_another_policy_also_when_the_pick_is_the_same():
    assert kinds(found(picks=[pin(policy=2)])) == [("policy", "1", "2")]


def test_nothing_to_pick():
    report = compare(
        LOCK, {pin().key: NoPick("no model left", SEEN)}, {STUBS[1]: Files(None, gone=True)}
    )
    assert ("pick", STUBS[1], None) in kinds(report)
    assert "no model left" in report.drifts[0].message


@pytest.mark.parametrize(
    ("now", "drift"),
    [
        ([], ("model.onnx", None)),
        ([("model.onnx", 7, SHA, MD5), ("more", 1)], (None, "more")),
        ([("model.onnx", 8, "c" * 64, MD5)], ("size 7", "size 8")),
        ([("model.onnx", 7, "c" * 64, MD5)], (f"sha256 {SHA}", f"sha256 {'c' * 64}")),
        ([("model.onnx", None, None, "c" * 32)], (f"md5 {MD5}", f"md5 {'c' * 32}")),
        ([("model.onnx", 7, SHA)], None),
        ([("model.onnx", 7, None, MD5)], None),
        ([("model.onnx",)], None),
    ],
)
def test_files(now, drift):
    listed = model()._replace(files=tuple(LockedFile(*one) for one in now))
    report = found(files={STUBS[1]: Files(listed)})
    assert kinds(report) == ([] if drift is None else [("files", *drift)])


def test_what_nobody_can_prove_is_told():
    listed = model(LockedFile("model.onnx", 7))
    (note,) = found(files={STUBS[1]: Files(listed)}).notes
    assert "no digest to compare for model.onnx" in note


def test_files_that_are_gone_and_files_nobody_could_be_asked_for():
    report = found(files={STUBS[1]: Files(None, gone=True, reason="has none")})
    assert kinds(report) == [("files", "model.onnx", None)]
    assert "has none" in report.drifts[0].message
    report = found(files={STUBS[1]: Files(None, reason="offline")})
    assert report == ((), (f"{STUBS[1]}: its files were not checked: offline",))


def test_files_that_are_not_pinned_yet():
    report = found(Lock.of([pin()], []), files={STUBS[1]: Files(model())})
    assert report.drifts == ()
    assert "not pinned yet" in report.notes[0]
    assert found(Lock.of([pin()], [])) == ((), ())


def test_a_digest_that_is_known_stays_while_another_one_proves_it():
    listed = model(LockedFile("model.onnx", 7, None, MD5), location="http://zoo")
    assert merged(model(), listed) == model(location="http://zoo")
    assert merged(None, listed) == listed
    unknown = model(LockedFile("model.onnx"))
    assert merged(model(), unknown) == model()
    assert merged(model(LockedFile("model.onnx", 7, SHA)), listed) == listed


def test_of_a_changed_file_nothing_old_is_kept():
    listed = model(LockedFile("model.onnx", 8))
    assert merged(model(), listed) == listed
    listed = model(LockedFile("model.onnx", None, None, "c" * 32))
    assert merged(model(), listed) == listed


def test_the_same_files_in_another_order_do_not_drift():
    files = (LockedFile("a", 1, SHA), LockedFile("b", 1, SHA))
    assert file_drifts(model(*files), model(*files[::-1])) == []
