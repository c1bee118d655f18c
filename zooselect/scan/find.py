"""Finding stubs in a text of any kind.

What begins with `zoo:` and has the form of a stub is one. Without `zoo:` a stub looks
like a path or a hyphenated word, and is only taken for one if

* seven parts between slashes begin with a known domain, and the second is a known
  sub-domain or the fourth a known framework; or
* hyphenated parts are a known name; or they end as sparse tags do (`base…`, `pruned…`,
  `…quant…`), and either network and data set are known or what stands right before them
  (`stub=`, `Model(`) says so.

A stub that is split between string literals, one a line as Python joins them, is put together.
A name with a placeholder in it or beside it (`{tag}`, `<tag>`, `$TAG`, `XXX`, `*`) is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from zooselect.errors import StubError
from zooselect.scan.names import Judgement, Names
from zooselect.stub import PREFIX, Stub

_PART = r"[A-Za-z0-9_.]+"
_PARAMETERS = r"(?:\?[A-Za-z_]+=[A-Za-z0-9_.-]+(?:&[A-Za-z_]+=[A-Za-z0-9_.-]+)*)?"
#: Not within a longer word or path; the n of a newline written `\n` is no part of a word.
_START = r"(?:(?<![A-Za-z0-9_./%$@}\\-])|(?<=\\[nrt]))"
_END = r"(?![A-Za-z0-9_.-])"

_PREFIXED = re.compile(rf"{_START}zoo:(?P<path>[A-Za-z0-9_./-]+){_PARAMETERS}")
_TAG = re.compile(
    r"(?:[a-z]*\d+(?:layers?)?_)?(?:base|pruned|quant(?:ized)?)(?![a-z])[A-Za-z0-9_.]*"
)
#: What stands right before a word that is meant for a stub.
_SPEAKS = re.compile(
    r"(?i)(?:stub\w*[\"'\])]*\s*[:=(,]\s*|\bmodel\(|\bsparsezoo\.download\w*\s+)[\"']?$"
)
#: After a name these make it part of a template; so does a tag that is no end of an element.
_TEMPLATE = re.compile(r"[{$%\u2026]|<(?!/|br\b)")


#: A stub whose literal ends with its line, and what the next line's literal may go on with.
_SPLIT = re.compile(r"zoo:[A-Za-z0-9_./-]*([\"'])\s*\\?$")
_GOES_ON = r"\s*{quote}([A-Za-z0-9_./-]+(?:\?[A-Za-z0-9_=&.-]*)?{quote}.*)"


class Occurrence(NamedTuple):
    """One stub in a text.

    Attributes:
        line, column: where it begins, from 1; columns count characters.
        length: how many of its characters stand on that line.
        text: the stub as it stands there, parameters and all.
        path: its name: without `zoo:` and parameters.
        judgement: what it means.
        problem: what is wrong with its parameters; None where nothing is.
    """

    line: int
    column: int
    length: int
    text: str
    path: str
    judgement: Judgement
    problem: str | None = None


class Finder:
    """Finds stubs by what a catalog's names look like.

    Args:
        names: the names of the catalog.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        domains = "|".join(sorted(map(re.escape, names.domains))) or r"(?!)"
        pair = r"[A-Za-z0-9_.-]+"
        v1 = rf"(?:{domains})/{_PART}/{pair}/{_PART}/{_PART}/{pair}/{pair}"
        self._v1 = re.compile(rf"{_START}(?P<path>{v1}){_PARAMETERS}")
        v2 = rf"{_PART}(?:-{_PART}){{2,4}}"
        self._v2 = re.compile(rf"{_START}(?<!:)(?P<path>{v2}){_END}{_PARAMETERS}")
        # Most files hold no stub: one look at the bytes says so.
        tags = {re.escape(tag[:4]) for tag in names.tags} | {"base", "prun", "quan"}
        tag = rf"-(?:[a-z]*[0-9]+(?:layers?)?_)?(?:{'|'.join(sorted(tags))})"
        self._tag, self._tag_bytes = re.compile(tag), re.compile(tag.encode())
        self._starts = (PREFIX, *(f"{one}/" for one in sorted(names.domains)))
        self._starts_bytes = tuple(one.encode() for one in self._starts)

    def may_hold(self, content: bytes) -> bool:
        """Whether a stub may be in a file's content at all; quick, and never wrong with no."""
        return (
            any(one in content for one in self._starts_bytes)
            or self._tag_bytes.search(content) is not None
        )

    def find(self, text: str) -> Iterator[Occurrence]:
        """Yield the stubs of a text, in order."""
        # Lines as editors count them: `splitlines` also breaks at form feeds and the like.
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        number = 0
        while number < len(lines):
            line = lines[number]
            number += 1
            if any(one in line for one in self._starts) or self._tag.search(line):
                whole, more = _joined(line, lines, number)
                for one in self._in_line(number, whole):
                    there = len(line.rstrip(" \t\\")) - one.column
                    yield one._replace(length=min(one.length, there)) if more else one
                number += more

    def _in_line(self, number: int, line: str) -> Iterator[Occurrence]:
        found: dict[int, Occurrence] = {}
        taken: list[tuple[int, int]] = []
        for pattern in (_PREFIXED, self._v1, self._v2):
            for match in pattern.finditer(line):
                start, end = match.span()
                if any(start < after and before < end for before, after in taken):
                    continue
                one = self._occurrence(number, line, match, bare=pattern is not _PREFIXED)
                if one is not None:
                    found[start] = one
                    taken.append((start, end))
        for start in sorted(found):
            yield found[start]

    def _occurrence(
        self, number: int, line: str, match: re.Match[str], *, bare: bool
    ) -> Occurrence | None:
        path, text, after = match["path"], match[0], line[match.end() :]
        if (
            _TEMPLATE.match(after)
            or "XX" in path
            or path.endswith("..")
            or (bare and after.startswith("/"))
        ):
            return None
        emphasis = line[: match.start()].endswith("*") or after.startswith("**")
        if after.startswith("*") and not emphasis:
            return None
        if "?" in text:
            text = text.rstrip(".")  # the end of a sentence
        else:
            path = path.rstrip("._-/")  # or of emphasis, or of a path
            text = text[: text.index(path) + len(path)]
        try:
            stub = Stub.parse(path)
        except StubError:
            stub = None
        if stub is None and (bare or path.count("/") < 3):
            return None
        if bare and stub is not None and not self._is_stub(stub, line[: match.start()]):
            return None
        judgement = self._names.judge(path)
        if stub is None and judgement.status != "misspelt":
            return None  # nothing a stub could be, nor near one
        return Occurrence(
            number, match.start() + 1, len(text), text, path, judgement, _problem(text)
        )

    def _is_stub(self, stub: Stub, before: str) -> bool:
        names = self._names
        if stub.path in names:
            return True
        if stub.version == 1:
            return stub.sub_domain in names.sub_domains or stub.framework in names.frameworks
        if not _TAG.fullmatch(stub.sparse_tag):
            return False
        known = stub.architecture in names.architectures and stub.source_dataset in names.datasets
        return known or _SPEAKS.search(before) is not None


def _problem(text: str) -> str | None:
    try:
        Stub.parse(text)
    except StubError as error:
        return error.hint if "?" in text else None
    return None


def _joined(line: str, lines: list[str], after: int) -> tuple[str, int]:
    """A line with the literals put to it that go on with its stub, and how many lines they are."""
    more = 0
    while (split := _SPLIT.search(line)) and after + more < len(lines):
        goes_on = re.match(_GOES_ON.format(quote=split[1]), lines[after + more])
        if goes_on is None:
            break
        line = line[: split.start(1)] + goes_on[1]
        more += 1
    return line, more
