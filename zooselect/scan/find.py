"""Finding stubs in a text of any kind.

What begins with `zoo:` and has the form of a stub is one. Without `zoo:` a stub looks
like a path or a hyphenated word, and is only taken for one if

* seven parts between slashes begin with a known domain, and the second is a known
  sub-domain or the fourth a known framework; or
* hyphenated parts are a known name; or they end as sparse tags do (`base…`, `pruned…`,
  `…quant…`), and either network and data set are known or what stands right before them
  (`stub=`, `Model(`) says so.

A stub that a line's end splits, between string literals or behind a backslash, is put
together. In a link it may be percent-encoded, and stand behind `/models/`, as on the pages and
in the API that SparseZoo had. A name with a placeholder in it or beside it (`{tag}`, `<tag>`,
`$TAG`, `XXX`, `*`) is none, and no name of a file is a stub.
"""

from __future__ import annotations

import re
from bisect import bisect_left
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
    r"(?:[a-z]*\d+(?:layers?)?_)?(?:base|pruned|quant(?:ized)?)(?![a-z])(?!.*\.[A-Za-z])"
    r"[A-Za-z0-9_.]*"
)
#: What stands right before a word that is meant for a stub.
_SPEAKS = re.compile(
    r"(?i)(?:stub\w*[\"'\])]*\s*[:=(,]\s*|\bmodel\(|\bsparsezoo\.download\w*\s+)[\"']?$"
)
#: After a name these make it part of a template; so does a tag that is no end of an element.
_TEMPLATE = re.compile(r"[{$%\u2026]|<(?!/|br\b)")


#: The links a stub may stand in: of v1, which nothing else looks like, any; of v2, SparseZoo's.
_LINKS = {
    1: re.compile(r"https?://[^\s\"'<>]*$"),
    2: re.compile(r"https?://[\w.-]*sparsezoo[^\s\"'<>]*$"),
}
#: How links, and some writers of JSON, write what separates the parts of a stub.
_ESCAPES = {"%2F": "/", "%3A": ":", "%3F": "?", "\\/": "/"}
_ESCAPE = re.compile("|".join(map(re.escape, _ESCAPES)), re.IGNORECASE)

#: A stub that its line's end splits: a backslash, or the end of a literal, in a notebook too.
_SPLIT = re.compile(r"zoo:([A-Za-z0-9_./-]*)(?:\\|(\\?[\"'])(?:\\n\",)?\s*(?:\+\s*)?\\?)$")
#: What the next line goes on with: behind a backslash at once, else with a literal.
_REST = r"[A-Za-z0-9_./-]+(?:\?[A-Za-z0-9_=&.-]*)?"
_GOES_ON = r"(?:\s*\")?\s*(?:\+\s*)?[BFRUbfru]{0,2}%s(" + _REST + ")(?=%s)"
#: Of more lines than this, nobody puts a stub together.
_MOST_LINES = 8

#: As much of a line beside a stub as may say what it is: lines may be long.
_BEFORE, _AFTER = 300, 8


class Occurrence(NamedTuple):
    """One stub in a text.

    Attributes:
        line, column: where it begins, from 1; columns count characters.
        length: how many characters it takes on that line.
        text: the stub, with `zoo:` and parameters if it has them there.
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


class _Line(NamedTuple):
    """A line to look for stubs in: what is escaped is plain, what is split is whole.

    Attributes:
        text: the characters.
        number: of the line in the text.
        end: where its own characters end, before those taken from the next.
        escaped: where in `text` an escape stood, ascending.
        longer: by how much the escapes before each of them, and all, are longer.
    """

    text: str
    number: int
    end: int
    escaped: list[int]
    longer: list[int]

    def place(self, at: int) -> int:
        """Where a character of `text` stands in the line."""
        return min(at + self.longer[bisect_left(self.escaped, at)], self.end)


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
        self._linked = re.compile(rf"(?<=/models/)(?P<path>{v1}|{v2}{_END})")
        # Most files hold no stub: one look at the bytes says so.
        tags = {re.escape(tag[:4]) for tag in names.tags} | {"base", "prun", "quan"}
        tag = rf"-(?:[a-z]*[0-9]+(?:layers?)?_)?(?:{'|'.join(sorted(tags))})"
        starts = (
            PREFIX, "zoo%3",
            *(f"{one}{slash}" for one in sorted(names.domains) for slash in ("/", "%2", "\\/")),
        )  # fmt: skip
        self._starts, self._tag = tuple(map(str.encode, starts)), re.compile(tag.encode())
        self._signs = re.compile("|".join((*map(re.escape, starts), tag)))

    def may_hold(self, content: bytes) -> bool:
        """Whether a stub may be in a file's content at all; quick, and never wrong with no."""
        return any(one in content for one in self._starts) or self._tag.search(content) is not None

    def find(self, text: str) -> Iterator[Occurrence]:
        """Yield the stubs of a text, in order."""
        # Lines as editors count them: `splitlines` also breaks at form feeds and the like.
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        number, start = 1, 0
        while sign := self._signs.search(text, start):
            number += text.count("\n", start, sign.start())
            line, end = lines[number - 1], text.find("\n", sign.start())
            yield from self._in_line(_line(number, *_joined(line, lines, number)))
            if end < 0:
                return
            number, start = number + 1, end + 1

    def _in_line(self, line: _Line) -> list[Occurrence]:
        found: list[Occurrence] = []
        taken = bytearray(len(line.text))
        for pattern in (_PREFIXED, self._linked, self._v1, self._v2):
            for match in pattern.finditer(line.text):
                start, end = match.span()
                if any(taken[start:end]):
                    continue
                one = self._occurrence(line, match, pattern)
                if one is not None and one.length:
                    found.append(one)
                    taken[start:end] = b"\1" * (end - start)
        return sorted(found, key=lambda one: one.column)

    def _occurrence(
        self, line: _Line, match: re.Match[str], pattern: re.Pattern[str]
    ) -> Occurrence | None:
        path, text = match["path"], match[0]
        bare, linked = pattern is not _PREFIXED, pattern is self._linked
        before = line.text[max(0, match.start() - _BEFORE) : match.start()]
        after = line.text[match.end() : match.end() + _AFTER]
        if (
            (path.count("/") < 3 and path.count("-") < 2)
            or _TEMPLATE.match(after)
            or "XX" in path
            or path.endswith("..")
            or (bare and not linked and after.startswith("/"))
        ):
            return None
        emphasis = before.endswith("*") or after.startswith("**")
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
        if linked and stub is not None and not _LINKS[stub.version].search(before):
            return None
        if bare and stub is not None and not self._is_stub(stub, before):
            return None
        judgement = self._names.judge(path)
        if stub is None and judgement.status != "misspelt":
            return None  # nothing a stub could be, nor near one
        start, end = line.place(match.start()), line.place(match.start() + len(text))
        return Occurrence(
            line.number, start + 1, end - start, text, path, judgement, _problem(text)
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
        if "?" in text:
            Stub.parse(text)
    except StubError as error:
        return error.hint
    return None


def _joined(line: str, lines: list[str], after: int) -> tuple[str, int]:
    """Put to a line what goes on with its split stub; it is taken out of the lines after.

    Returns:
        The line, and where its own characters end.
    """
    end = None
    for _ in range(min(_MOST_LINES, len(lines) - after)):
        split = _SPLIT.search(line)
        if split is None:
            break
        begun, quote = split.groups()
        if quote is None and _is_whole(begun):
            break  # a backslash that means something else
        escaped = re.escape(quote or "")
        rest = re.match(
            f"({_REST})" if quote is None else _GOES_ON % (escaped, escaped), lines[after]
        )
        if rest is None:
            break
        end = split.end(1) if end is None else end
        line = line[: split.end(1)] + lines[after][rest.start(1) :]
        lines[after] = " " * rest.end(1) + lines[after][rest.end(1) :]
        after += 1
    return line, len(line) if end is None else end


def _is_whole(path: str) -> bool:
    try:
        Stub.parse(path)
    except StubError:
        return False
    return True


def _line(number: int, text: str, end: int) -> _Line:
    escaped, longer = [], [0]
    for match in _ESCAPE.finditer(text):
        escaped.append(match.start() - longer[-1])
        longer.append(longer[-1] + len(match[0]) - 1)
    plain = _ESCAPE.sub(lambda match: _ESCAPES[match[0].upper()], text) if escaped else text
    return _Line(plain, number, end, escaped, longer)
