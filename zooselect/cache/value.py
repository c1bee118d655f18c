"""Keys and values of the cache as text: canonical JSON, and a digest with every document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

#: The longest value, in characters, that is stored or believed: about 50 zoos in one answer.
VALUE_LIMIT = 64 * 2**20

# A value is one JSON object of this very shape, so that the text of the document in it, which
# the digest is of, can be cut out without parsing.
_HEAD, _MIDDLE, _TAIL = '{"sha256":"', '","document":', "}"
_DIGITS = 64


def key_of(*parts: Any) -> str:
    """Turn what an answer depends on into a key: parts that differ give keys that differ.

    Args:
        parts: JSON values. A tuple is the same as a list; 1, 1.0, true and "1" all differ.

    Raises:
        TypeError, ValueError: a part is no JSON value, e.g. NaN or an object with other keys
            than texts.
    """
    _check_names(parts)
    return json.dumps(parts, allow_nan=False, sort_keys=True, separators=(",", ":"))


def pack(key: str, document: Any) -> str:
    """Return the text to store under a key.

    Raises:
        TypeError, ValueError, RecursionError: the document is not JSON, is too deep, or is
            longer than `VALUE_LIMIT`; the key is not Unicode.
    """
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    value = "".join((_HEAD, _digest(key, text), _MIDDLE, text, _TAIL))
    if len(value) > VALUE_LIMIT:
        raise ValueError(f"longer than {VALUE_LIMIT} characters")
    return value


def unpack(key: str, value: str) -> Any:
    """Return the document in a stored text.

    The digest tells damage from what was stored, not friend from foe: whoever can write the
    database can write a digest. What they cannot do is run code, for JSON is all that is read.

    Raises:
        ValueError, RecursionError: this is not what was stored under the key.
    """
    start = len(_HEAD) + _DIGITS
    document = start + len(_MIDDLE)
    if not (
        value.isascii()
        and value.startswith(_HEAD)
        and value.startswith(_MIDDLE, start)
        and value.endswith(_TAIL)
    ):
        raise ValueError("not a stored document")
    text = value[document : -len(_TAIL)]
    if value[len(_HEAD) : start] != _digest(key, text):
        raise ValueError("not the document that was stored")
    return json.loads(text, parse_constant=_refuse)


def _digest(key: str, text: str) -> str:
    # The key belongs to it: a value in the row of another key is no answer. A JSON text holds
    # no NUL, so the last one parts the two.
    return sha256(f"{key}\0{text}".encode()).hexdigest()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _check_names(value: Any) -> None:
    """Refuse names json would turn into texts: {1: …} and {"1": …} must not be one key."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if not isinstance(name, str):
                raise TypeError(f"not a text: {name!r}")
            _check_names(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            _check_names(one)
