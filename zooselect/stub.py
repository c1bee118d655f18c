"""SparseZoo stubs: the two grammars, parsed once at the edge.

v1: `[zoo:]domain/sub_domain/architecture[-sub_architecture]/framework/repo/
dataset[-training_scheme]/sparse_tag`
v2: `[zoo:]architecture[-sub_architecture]-source_dataset[-training_dataset]-sparse_tag`

Either may end in `?name=value[&name=value]` with the names of `PARAMETERS`.
Every part is ASCII letters, digits, `_` and `.`; a v1 sparse tag may also hold
`-`. Source: the expressions of sparsezoo 1.8.1 (`sparsezoo/model/utils.py`),
which is tried here in the same order, v1 first, but anchored at both ends and
without the five punctuation characters its `A-z` lets through.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Any, NoReturn

from zooselect.errors import StubError

PREFIX = "zoo:"
PARAMETERS = ("recipe", "recipe_type", "checkpoint", "deployment")
#: Those of them that name a recipe.
RECIPES = PARAMETERS[:2]

_CHARACTERS = string.ascii_letters + string.digits + "_."
_SHAPES = (
    "zoo:domain/sub_domain/architecture-sub_architecture/framework/repo/dataset/tag"
    " or zoo:architecture-sub_architecture-dataset-tag"
)


def is_part(text: str, more: str = "") -> bool:
    """Whether a text is made of the characters of a stub's parts, and of `more`."""
    # Stripping a set of characters leaves something exactly where another one is.
    return not text.strip(_CHARACTERS + more)


@dataclass(frozen=True, slots=True)
class Stub:
    """A model's address in the catalog. `str()` gives back the text it was parsed from.

    Attributes:
        version: 1 or 2, the grammar the text follows.
        architecture, sub_architecture: the network, e.g. `resnet_v1` and `50`.
        source_dataset: data set the model was trained on, e.g. `imagenet`.
        sparse_tag: how it was optimized, e.g. `pruned95_quant-none`.
        domain, sub_domain, framework, repo: stated by v1 stubs only.
        training_scheme: stated by some v1 stubs, e.g. `augmented`.
        training_dataset: stated by some v2 stubs.
        parameters: the query string's (name, value) pairs, in order.
        prefixed: whether the text began with `zoo:`.
    """

    version: int
    architecture: str
    source_dataset: str
    sparse_tag: str
    sub_architecture: str | None = None
    domain: str | None = None
    sub_domain: str | None = None
    framework: str | None = None
    repo: str | None = None
    training_scheme: str | None = None
    training_dataset: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    prefixed: bool = True

    @classmethod
    def parse(cls, text: str) -> Stub:
        """Parse a v1 or v2 stub, with or without `zoo:`, with or without parameters.

        Raises:
            StubError: the text is no stub; `position` is the first character that
                does not fit.
        """
        if not isinstance(text, str):
            raise StubError(f"a stub is a text, not {text!r}", text=repr(text), position=0)
        prefixed = text.startswith(PREFIX)
        start = len(PREFIX) if prefixed else 0
        path, mark, query = text[start:].partition("?")
        fields = _v1(path) or _v2(path)
        if fields is None:
            _refuse(text, start, path)
        parameters = _parse_parameters(text, start + len(path) + 1, query) if mark else ()
        return cls(prefixed=prefixed, parameters=parameters, **fields)

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.parameters)
        return (PREFIX if self.prefixed else "") + self.path + ("?" + query if query else "")

    @property
    def path(self) -> str:
        """The stub without `zoo:` and without parameters."""
        network = _joined(self.architecture, self.sub_architecture)
        if self.version == 1:
            data = _joined(self.source_dataset, self.training_scheme)
            parts = (
                self.domain, self.sub_domain, network, self.framework, self.repo, data,
                self.sparse_tag,
            )  # fmt: skip
            return "/".join(part or "" for part in parts)
        data = _joined(self.source_dataset, self.training_dataset)
        return f"{network}-{data}-{self.sparse_tag}"

    @property
    def canonical(self) -> str:
        """The model's name in a catalog: with `zoo:`, without parameters."""
        return PREFIX + self.path


def _joined(first: str, second: str | None) -> str:
    return first if second is None else f"{first}-{second}"


def _v1(path: str) -> dict[str, Any] | None:
    parts = path.split("/")
    if len(parts) != 7 or not parts[6] or not is_part(parts[6], "-"):
        return None
    network, data = parts[2].split("-"), parts[5].split("-")
    if len(network) > 2 or len(data) > 2:
        return None
    if not all(part and is_part(part) for part in (*parts[:2], *network, *parts[3:5], *data)):
        return None
    return {
        "version": 1,
        "domain": parts[0],
        "sub_domain": parts[1],
        "architecture": network[0],
        "sub_architecture": network[1] if len(network) == 2 else None,
        "framework": parts[3],
        "repo": parts[4],
        "source_dataset": data[0],
        "training_scheme": data[1] if len(data) == 2 else None,
        "sparse_tag": parts[6],
    }


def _v2(path: str) -> dict[str, Any] | None:
    parts = path.split("-")
    if not 3 <= len(parts) <= 5 or not all(part and is_part(part) for part in parts):
        return None
    # Of four parts the second is the sub-architecture, as the old client reads them.
    return {
        "version": 2,
        "architecture": parts[0],
        "sub_architecture": parts[1] if len(parts) > 3 else None,
        "source_dataset": parts[2] if len(parts) > 3 else parts[1],
        "training_dataset": parts[3] if len(parts) == 5 else None,
        "sparse_tag": parts[-1],
    }


def _parse_parameters(text: str, start: int, query: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    position = start
    for item in query.split("&"):
        name, mark, value = item.partition("=")
        if not mark:
            _fail(text, position, "a parameter has the form name=value")
        if name not in PARAMETERS:
            _fail(text, position, "known parameters: " + ", ".join(PARAMETERS))
        odd = _first_odd(value, "-")
        if odd is not None or not value:
            _fail(
                text, position + len(name) + 1 + (odd or 0),
                "a value is letters, digits, `_`, `.` and `-`",
            )  # fmt: skip
        pairs.append((name, value))
        position += len(item) + 1
    return tuple(pairs)


def _first_odd(text: str, more: str) -> int | None:
    """Position of the first character that is not one of a stub's, nor of `more`."""
    allowed = _CHARACTERS + more
    return next((index for index, char in enumerate(text) if char not in allowed), None)


def _refuse(text: str, start: int, path: str) -> NoReturn:
    """Point at the first character that no stub could have there."""
    odd = _first_odd(path, "/-")
    if odd is not None:
        _fail(text, start + odd, "stubs hold ASCII letters, digits, `_`, `.`, `-` and `/`")
    first, slash, _ = path.partition("/")
    if slash and _v2(first):
        _fail(text, start + len(first), "a v2 stub has no slash")
    if not slash:
        _fail(text, start + _first_misplaced(path, "-", 5), _SHAPES)
    position = 0
    for index, part in enumerate(path.split("/")):
        if index > 6:
            _fail(text, start + position - 1, "a v1 stub has seven parts")
        if not part:
            _fail(text, start + position, "a part between slashes is empty")
        # Only the network and the data set may have a second part; a tag is free.
        if index != 6 and "-" in part:
            most = 2 if index in (2, 5) else 1
            misplaced = _first_misplaced(part, "-", most)
            if misplaced < len(part) or part.endswith("-"):
                _fail(text, start + position + misplaced, _SHAPES)
        position += len(part) + 1
    _fail(text, start + len(path), "a v1 stub has seven parts")


def _first_misplaced(text: str, separator: str, most: int) -> int:
    """Where a list of at most so many parts first goes wrong; its end if nowhere before."""
    position = 0
    for index, part in enumerate(text.split(separator)):
        if index >= most:
            return position - 1
        if not part:
            return position
        position += len(part) + 1
    return len(text)


def _fail(text: str, position: int, hint: str) -> NoReturn:
    shown = text if len(text) <= 120 else text[:117] + "..."
    why = "something is missing at its end"
    if position < len(text):
        why = f"{text[position]!r} at character {position + 1} does not fit"
    raise StubError(
        f"{shown!r} is not a stub: {why}",
        text=text,
        position=position,
        hint=hint,
    )
