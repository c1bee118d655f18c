"""The names a catalog knows, and what a name in a text means by them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from zooselect.namesake import v1_names
from zooselect.record import ModelRecord
from zooselect.stub import PREFIX, Stub

KNOWN, AMBIGUOUS, MISSPELT, UNKNOWN = STATUSES = ("known", "ambiguous", "misspelt", "unknown")

#: How alike a name must be to be told as the nearest (difflib's ratio, 0 to 1).
_ALIKE = 0.85
#: How alike two parts of a name must be for one to be the other misspelt.
_PART_ALIKE = 0.6
#: Comparing is dear: of more names only those are compared that share the rarest words.
_COMPARED = 1000


class Judgement(NamedTuple):
    """What a name means by a catalog.

    Attributes:
        status: `known`; `ambiguous`, a v2 name of several models; `misspelt`, no name but
            near one; or `unknown`.
        names: stubs: the model itself, the models it may mean, what the catalog calls the very
            model otherwise, or the nearest name.
        unverified: whether the model may never have been published.
        hint: what else a person may want to know; empty where the names say it.
    """

    status: str
    names: tuple[str, ...] = ()
    unverified: bool = False
    hint: str = ""


class Names:
    """All names of a catalog's models, own ones and aliases, without `zoo:`.

    Args:
        records: the catalog's.
        embedded: those of the catalog inside the package, where that is another one: a name
            it has is no misspelling.
    """

    def __init__(
        self, records: Iterable[ModelRecord], embedded: Iterable[ModelRecord] = ()
    ) -> None:
        self._embedded_records = embedded
        self._models: dict[str, dict[str, ModelRecord]] = {}
        for record in records:
            for name in (record.stub, *record.aliases):
                path = name.removeprefix(PREFIX)
                self._models.setdefault(path, {})[record.stub] = record
        self._having: dict[str, list[str]] = {}
        for path in self._models:
            for word in _words(path):
                self._having.setdefault(word, []).append(path)
        self._judged: dict[str, Judgement] = {}
        stubs = [Stub.parse(path) for path in self._models]
        #: What the parts of known names are, for telling stubs from other words.
        self.domains = frozenset(one.domain for one in stubs if one.domain)
        self.sub_domains = frozenset(one.sub_domain for one in stubs if one.sub_domain)
        self.frameworks = frozenset(one.framework for one in stubs if one.framework)
        self.architectures = frozenset(one.architecture for one in stubs)
        self.datasets = frozenset(one.source_dataset for one in stubs)
        self.tags = frozenset(one.sparse_tag for one in stubs)

    def __contains__(self, path: str) -> bool:
        return path in self._models

    def judge(self, path: str) -> Judgement:
        """Say what a name means.

        Args:
            path: a stub without `zoo:` and without parameters.
        """
        found = self._judged.get(path)
        if found is None:
            found = self._judged[path] = self._judge(path)
        return found

    def _judge(self, path: str) -> Judgement:
        models = self._models.get(path)
        if models is None:
            return self._missing(path)
        own = models.get(PREFIX + path)
        # A v2 name listed by several v1 records, or by its own record, means any of them.
        meant = {stub for stub in models if "/" in stub}
        if own is not None:
            meant.update(own.ambiguous_with)
        if "/" not in path and len(meant) > 1:
            return Judgement(AMBIGUOUS, tuple(sorted(meant)))
        record = own or models[min(models)]
        return Judgement(KNOWN, (record.stub,), record.confidence == "low")

    def _missing(self, path: str) -> Judgement:
        same = v1_names(path, self._models)
        if same:
            # The very model, which no likeness of names may hide.
            hint = f"this model's name in the catalog: {', '.join(same)}"
            return Judgement(UNKNOWN, tuple(same), hint=hint)
        if path in self._embedded:
            return Judgement(UNKNOWN, hint="the embedded catalog has it, and this one has not")
        return self._nearest(path)

    @cached_property
    def _embedded(self) -> frozenset[str]:
        return frozenset(
            name.removeprefix(PREFIX)
            for record in self._embedded_records
            for name in (record.stub, *record.aliases)
        )

    def _nearest(self, path: str) -> Judgement:
        from difflib import get_close_matches

        close = get_close_matches(path, self._comparable(path), n=1, cutoff=_ALIKE)
        if not close:
            return Judgement(UNKNOWN)
        misspelt = self._misspells(path, close[0])
        return Judgement(MISSPELT if misspelt else UNKNOWN, (PREFIX + close[0],))

    def _comparable(self, path: str) -> list[str]:
        def near(name: str) -> bool:
            return ("/" in name) == ("/" in path) and abs(len(name) - len(path)) <= len(path) // 4

        if len(self._models) <= _COMPARED:
            return sorted(filter(near, self._models))
        found: set[str] = set()
        shared = self._having.keys() & set(_words(path))
        for word in sorted(shared, key=lambda word: (len(self._having[word]), word)):
            found.update(filter(near, self._having[word]))
            if len(found) >= _COMPARED:
                break
        return sorted(found)[:_COMPARED]

    def _misspells(self, path: str, name: str) -> bool:
        """Whether a name is another one misspelt, rather than that of another model.

        It is if they differ in letter case and separators alone, or else only in parts
        that no model's name has and that come near. A part that is known, or that differs
        in its digits alone (`pruned97`), names another model.
        """
        if _folded(path) == _folded(name):
            return True
        mine, its = _words(path), _words(name)
        if len(mine) != len(its):
            return False
        return all(
            one not in self._having and _without_digits(one) != _without_digits(other)
            and _alike(one, other)
            for one, other in zip(mine, its, strict=True)
            if one != other
        )  # fmt: skip


def _words(path: str) -> list[str]:
    return path.replace("/", "-").split("-")


def _folded(path: str) -> str:
    return "".join(char for char in path.lower() if char.isalnum())


def _without_digits(word: str) -> str:
    return "".join(char for char in word if not char.isdigit())


def _alike(one: str, other: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one, other).ratio() >= _PART_ALIKE
