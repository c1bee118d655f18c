"""A lock file read: every key is known and has its type, or the file is refused by line."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from zooselect.errors import IntegrityError, ZooSelectError
from zooselect.level import SPARSE_TRANSFER, parse_level
from zooselect.lock.lock import (
    SWITCHES,
    TEXTS,
    CatalogSeen,
    Lock,
    LockedFile,
    LockedModel,
    Pin,
)  # fmt: skip
from zooselect.lock.write import SCHEMA
from zooselect.names import collisions, safe_name
from zooselect.selection.question import Question
from zooselect.stub import Stub
from zooselect.task import Task

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: A lock of a thousand models of a hundred files each is a quarter of it.
LARGEST = 64 << 20

_MENDED = "put back the version under version control, or remove it and `zooselect lock add` anew"
_TABLE = re.compile(r"\s*\[\[\s*\"?(pin|model)\"?\s*\]\]")
_HEX = re.compile(r"[0-9a-f]+")
_PIN = {
    "task", "optim_level", "mode", *TEXTS, *SWITCHES, "policy", "stub", "exact", "wanted", "got",
    "catalog_source", "catalog_location", "catalog_digest",
}  # fmt: skip
_MODEL = {"stub", "files_source", "files_location", "files"}
_FILE = {"name", "size", "sha256", "md5"}


def from_toml(content: bytes, path: str) -> Lock:
    """Return the lock of a file's bytes.

    Args:
        content: of the file.
        path: for messages.

    Raises:
        IntegrityError: no lock file, or of a newer schema; the message has the line.
    """
    if len(content) > LARGEST:
        raise _refusal(path, None, f"larger than {LARGEST >> 20} MiB")
    try:
        lines = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(path, line, "not UTF-8") from error
    try:
        document = tomllib.loads(lines)
    except RecursionError as error:
        raise _refusal(path, None, "nested too deeply") from error
    except ValueError as error:  # also of numbers with more digits than Python reads
        raise _refusal(path, None, f"not TOML: {error}") from error
    schema = document.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise IntegrityError(
            f"{path} has schema {schema}, and this zooselect reads schema {SCHEMA}",
            hint="a newer zooselect wrote it; upgrade this one",
        )
    where = _Lines(path, lines)
    if type(schema) is not int or schema != SCHEMA:
        raise where.refusal(None, 0, "schema", f"`schema` is not {SCHEMA}")
    for key in document:
        if key not in ("schema", "pin", "model"):
            raise where.refusal(None, 0, key, f"unknown key {key!a}")
    pins = [
        where.read("pin", number, one, _PIN, _pin)
        for number, one in _tables(where, "pin", document)
    ]
    models = [
        where.read("model", number, one, _MODEL, _model)
        for number, one in _tables(where, "model", document)
    ]
    _check_once(where, "pin", [pin.key for pin in pins], "question")
    _check_once(where, "model", [model.stub for model in models], "model")
    return Lock.of(pins, models)


class _Lines:
    """Where the tables of a file begin."""

    def __init__(self, path: str, content: str) -> None:
        self._path = path
        self._lines = content.splitlines()
        self._heads: dict[str, list[int]] = {"pin": [], "model": []}
        for number, line in enumerate(self._lines, 1):
            if head := _TABLE.match(line):
                self._heads[head[1]].append(number)

    def refusal(self, table: str | None, number: int, key: str | None, why: str) -> IntegrityError:
        """The error of a key of a table, or of the table."""
        return _refusal(self._path, self._line(table, number, key), why)

    def read(self, table: str, number: int, one: Any, keys: set[str], parse: Any) -> Any:
        """Return a table parsed.

        Raises:
            IntegrityError: it cannot be.
        """
        if not isinstance(one, Mapping):
            raise self.refusal(table, number, None, f"[[{table}]] is not a table")
        for key in one:
            if key not in keys:
                raise self.refusal(table, number, key, f"unknown key {key!a} in [[{table}]]")
        try:
            return parse(one)
        except _KeyedError as error:
            raise self.refusal(table, number, error.key, str(error)) from error

    def _line(self, table: str | None, number: int, key: str | None) -> int | None:
        if table is None:
            start = 0
        elif number < len(self._heads[table]):
            start = self._heads[table][number]
        else:
            return None  # written as an array in a line: valid, and not ours
        for at in range(start, len(self._lines)):
            line = self._lines[at].strip()
            if table is not None and line.startswith("["):
                break
            if key is not None and re.match(rf"\"?{re.escape(key)}\"?\s*=", line):
                return at + 1
        return start or None


class _KeyedError(Exception):
    """What is wrong with a key."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


def _tables(where: _Lines, name: str, document: Mapping[str, Any]) -> list[tuple[int, Any]]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise where.refusal(None, 0, name, f"`{name}` is not an array of tables")
    return list(enumerate(value))


def _check_once(where: _Lines, table: str, keys: list[Any], noun: str) -> None:
    seen = set()
    for number, key in enumerate(keys):
        if key in seen:
            raise where.refusal(table, number, None, f"the same {noun} a second time")
        seen.add(key)


def _pin(one: Mapping[str, Any]) -> Pin:
    try:
        task = Task.parse(_text(one, "task"))
    except ZooSelectError as error:
        raise _KeyedError("task", error.message) from error
    try:
        level = parse_level(one["optim_level"])
    except KeyError:
        raise _KeyedError("optim_level", "`optim_level` is missing") from None
    except ZooSelectError as error:
        raise _KeyedError("optim_level", error.message) from error
    if _text(one, "mode") != SPARSE_TRANSFER:
        raise _KeyedError("mode", f"`mode` is not {SPARSE_TRANSFER}")
    options: dict[str, Any] = {name: _text(one, name) for name in TEXTS if name in one}
    options |= {name: _switch(one, name) for name in SWITCHES}
    exact, fallback = _switch(one, "exact"), "wanted" in one and "got" in one
    if exact == fallback or ("wanted" in one) != ("got" in one):
        raise _KeyedError(
            "exact", "`wanted` and `got` are there if `exact` is false, and only then"
        )
    return Pin(
        Question(task, **options),
        level,
        _number(one, "policy"),
        _stub(one),
        _text(one, "wanted") if fallback else None,
        _text(one, "got") if fallback else None,
        CatalogSeen(*(_text(one, f"catalog_{name}") for name in CatalogSeen._fields)),
    )


def _model(one: Mapping[str, Any]) -> LockedModel:
    rows = one.get("files")
    if not isinstance(rows, list) or not rows:
        raise _KeyedError("files", "`files` is not a list of files")
    files = sorted(map(_file, rows), key=lambda file: file.name)
    names = [file.name for file in files]
    if len(set(names)) < len(names) or collisions(names):
        raise _KeyedError("files", "two names in `files` collide")
    return LockedModel(
        _stub(one), _text(one, "files_source"), _text(one, "files_location"), tuple(files)
    )


def _file(one: Any) -> LockedFile:
    if not isinstance(one, Mapping) or not set(one) <= _FILE:
        raise _KeyedError("files", "a file has a `name`, and perhaps `size`, `sha256` and `md5`")
    try:
        name = safe_name(one.get("name"))
    except ValueError as error:
        raise _KeyedError("files", f"the file name {one.get('name')!a} has {error}") from error
    try:
        size = _number(one, "size") if "size" in one else None
        return LockedFile(name, size, _digest(one, "sha256", 64), _digest(one, "md5", 32))
    except _KeyedError as error:
        raise _KeyedError("files", f"file {name!a}: {error}") from error


def _stub(one: Mapping[str, Any]) -> str:
    value = _text(one, "stub")
    try:
        canonical = Stub.parse(value).canonical
    except ZooSelectError as error:
        raise _KeyedError("stub", f"`stub` is no stub: {error.message}") from error
    if canonical != value:
        raise _KeyedError("stub", f"`stub` is not written {canonical}")
    return canonical


def _text(one: Mapping[str, Any], key: str) -> str:
    value = one.get(key)
    if not isinstance(value, str):
        raise _KeyedError(key, f"`{key}` is missing" if value is None else f"`{key}` is no text")
    return value


def _switch(one: Mapping[str, Any], key: str) -> bool:
    value = one.get(key, False)
    if not isinstance(value, bool):
        raise _KeyedError(key, f"`{key}` is neither true nor false")
    return value


def _number(one: Mapping[str, Any], key: str) -> int:
    value = one.get(key)
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise _KeyedError(key, f"`{key}` is no whole number from 0")
    return value


def _digest(one: Mapping[str, Any], key: str, length: int) -> str | None:
    value = one.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != length or not _HEX.fullmatch(value):
        raise _KeyedError(key, f"`{key}` is not {length} lower-case hex digits")
    return value


def _refusal(path: str, line: int | None, why: str) -> IntegrityError:
    place = path if line is None else f"{path}, line {line}"
    return IntegrityError(f"{place}: {why}", hint=_MENDED)
