"""A lock as TOML: the same lock is the same bytes, and a change is few lines of a diff."""

from __future__ import annotations

from collections.abc import Iterator

from zooselect.level import SPARSE_TRANSFER
from zooselect.lock.lock import SWITCHES, TEXTS, Lock, LockedFile, LockedModel, Pin

SCHEMA = 1

_HEAD = """\
# Written by `zooselect lock`, which also changes it: `lock add`, `lock rm`, `lock --upgrade`.
"""


def to_toml(lock: Lock) -> bytes:
    """Return a lock file's bytes; all order is that of the lock."""
    lines = [_HEAD + f"schema = {SCHEMA}"]
    for pin in lock.pins:
        lines += ["", "[[pin]]", *_pin(pin)]
    for model in lock.models:
        lines += ["", "[[model]]", *_model(model)]
    return ("\n".join(lines) + "\n").encode()


def text(value: str) -> str:
    """A text as a TOML basic string; what does not print is escaped.

    Raises:
        ValueError: a lone surrogate, which no TOML file can hold.
    """
    return '"' + "".join(map(_character, value)) + '"'


def _character(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("not valid Unicode")
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _pin(pin: Pin) -> Iterator[str]:
    question = pin.question
    yield f"task = {text(question.task.name)}"
    yield f"optim_level = {pin.level!r}"
    yield f"mode = {text(SPARSE_TRANSFER)}"
    for name in TEXTS:
        if (value := getattr(question, name)) is not None:
            yield f"{name} = {text(value)}"
    for name in SWITCHES:
        if getattr(question, name):
            yield f"{name} = true"
    yield f"policy = {pin.policy}"
    yield f"stub = {text(pin.stub)}"
    yield f"exact = {'true' if pin.wanted is None else 'false'}"
    if pin.wanted is not None:
        yield f"wanted = {text(pin.wanted)}"
        yield f"got = {text(pin.got or '')}"
    for key, value in zip(("source", "location", "digest"), pin.catalog, strict=True):
        yield f"catalog_{key} = {text(value)}"


def _model(model: LockedModel) -> Iterator[str]:
    yield f"stub = {text(model.stub)}"
    yield f"files_source = {text(model.source)}"
    yield f"files_location = {text(model.location)}"
    yield "files = ["
    for file in model.files:
        yield f"    {_file(file)},"
    yield "]"


def _file(file: LockedFile) -> str:
    pairs = [f"name = {text(file.name)}"]
    if file.size is not None:
        pairs.append(f"size = {file.size}")
    for name, digest in (("sha256", file.sha256), ("md5", file.md5)):
        if digest is not None:
            pairs.append(f"{name} = {text(digest)}")
    return "{ " + ", ".join(pairs) + " }"
