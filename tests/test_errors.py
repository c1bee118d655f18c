"""Error classes: exit codes, and the standard exceptions callers would catch anyway."""

import pytest

from zooselect import errors

CLASSES = [
    (errors.ZooSelectError, Exception, 1),
    (errors.UsageError, ValueError, 2),
    (errors.StubError, ValueError, 2),
    (errors.NotFoundError, LookupError, 3),
    (errors.NoCandidateError, LookupError, 3),
    (errors.IntegrityError, ValueError, 6),
    (errors.LocalFileError, OSError, 7),
    (errors.LockError, RuntimeError, 8),
]


def make(kind, *args, **kwargs):
    if kind is errors.StubError:
        kwargs = {"text": "x", "position": 0, **kwargs}
    return kind(*args, **kwargs)


@pytest.mark.parametrize(("kind", "standard", "code"), CLASSES)
def test_each_class(kind, standard, code):
    error = make(kind, "what is wrong", hint="what to do")
    assert isinstance(error, errors.ZooSelectError)
    assert isinstance(error, standard)
    assert error.exit_code == code
    assert (str(error), error.message, error.hint) == ("what is wrong",) * 2 + ("what to do",)
    assert make(kind, "m").hint == ""


def test_every_class_is_here():
    found = {one for one in vars(errors).values() if isinstance(one, type)}
    known = {kind for kind, _, _ in CLASSES}
    assert {one for one in found if one.__module__ == errors.__name__} >= known
    with_codes = {one for one in found if issubclass(one, errors.ZooSelectError)}
    assert all(one.exit_code in {1, 2, 3, 4, 5, 6, 7, 8} for one in with_codes)


def test_what_only_some_carry():
    stub = errors.StubError("m", text="abc", position=2)
    assert (stub.text, stub.position) == ("abc", 2)
    nothing = errors.NoCandidateError("m", nearest=(("zoo:a-b-c", "why"),))
    assert nothing.nearest == (("zoo:a-b-c", "why"),)
    assert errors.NoCandidateError("m").nearest == ()


def test_exit_codes_without_an_error():
    assert (errors.EXIT_OK, errors.EXIT_INTERRUPTED) == (0, 130)
