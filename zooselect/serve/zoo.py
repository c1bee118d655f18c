"""What is served: a mirror's models, found the ways the old clients ask for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.provenance import Provenance
from zooselect.mirror.remote import Store
from zooselect.mirror.store import MirrorFile, MirrorModel, parse_catalog
from zooselect.record import ModelRecord
from zooselect.selection.variant import hardware_targets
from zooselect.serve.names import flat_names, repo_names
from zooselect.stub import PREFIX

#: Arguments of the old `models(…)` query, by the field each is compared with.
_FIELDS = {
    "domain": "domain",
    "task": "sub_domain",
    "architecture": "architecture",
    "subArchitecture": "sub_architecture",
    "framework": "framework",
    "repo": "repo",
    "trainingScheme": "training_scheme",
}


@dataclass(frozen=True)
class Zoo:
    """One state of a mirror; a changed mirror is a new zoo.

    Attributes:
        mirror: where the files are.
        content: the bytes of `catalog.json`.
        models: plain models before those of a training scheme, a sub-architecture or for one
            hardware: old clients ask for none of these, or cannot ask for none, and take
            the first of several.
        compiled: when the catalog was compiled; None where it does not say.
        skipped: models that cannot be served, as (stub or position, reason).
    """

    mirror: Store
    content: bytes = field(repr=False)
    models: tuple[MirrorModel, ...] = field(repr=False)
    compiled: str | None = None
    skipped: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def read(cls, mirror: Store) -> Zoo:
        """Return the mirror as it stands now.

        Raises:
            LocalFileError, IntegrityError: it cannot be read, or is no mirror.
        """
        content = mirror.content()
        listing = parse_catalog(content, mirror.location)
        models: dict[str, MirrorModel] = {}
        for model in sorted(listing.models, key=_plain_first):
            # Two models of one id would hand out each other's files.
            models.setdefault(model.model_id, model)
        zoo = cls(mirror, content, tuple(models.values()), listing.compiled, listing.skipped)
        for view in ("etag", "repo_name", "_by_id", "_by_name", "_by_place", "by_path"):
            getattr(zoo, view)  # now, in the reading thread, and not while a request waits
        return zoo

    @cached_property
    def etag(self) -> str:
        """Entity tag of `catalog.json`."""
        return f'"{hashlib.sha256(self.content).hexdigest()}"'

    @cached_property
    def repo_name(self) -> Mapping[str, str]:
        """The v2 name of each model, by stub; made up where none is on record."""
        return repo_names(self.models)

    @cached_property
    def _by_id(self) -> Mapping[str, MirrorModel]:
        return {model.model_id: model for model in self.models}

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[MirrorModel, ...]]:
        names: dict[str, list[MirrorModel]] = {}
        for model in self.models:
            for name in dict.fromkeys((*model.names, PREFIX + self.repo_name[model.record.stub])):
                names.setdefault(name.removeprefix(PREFIX), []).append(model)
        return {name: tuple(models) for name, models in names.items()}

    @cached_property
    def _by_place(self) -> Mapping[tuple[str | None, str | None], tuple[MirrorModel, ...]]:
        places: dict[tuple[str | None, str | None], list[MirrorModel]] = {}
        for model in self.models:
            place = (model.record.domain, model.record.sub_domain)
            places.setdefault(place, []).append(model)
        return {place: tuple(models) for place, models in places.items()}

    @cached_property
    def by_path(self) -> Mapping[str, tuple[MirrorModel, MirrorFile]]:
        """Every file, by its path in the mirror; nothing else of the folder is served."""
        return {
            f"{model.folder}/{file.name}": (model, file)
            for model in self.models
            for file in model.files
        }

    def page(self) -> bytes:
        """Return a page for people: what every optim level comes to, of what is here."""
        # Only this page needs them.
        from zooselect.report.facts import tasks_of
        from zooselect.report.page import page

        digest = "sha256:" + self.etag.strip('"')
        provenance = Provenance(
            "mirror", self.mirror.location, digest, self.compiled, skipped=self.skipped
        )
        catalog = Catalog.from_records((model.record for model in self.models), provenance)
        return page(catalog, tasks_of(catalog), served=True)

    def named(self, name: str) -> tuple[MirrorModel, ...]:
        """Return the models of a v1 or v2 name, with or without `zoo:`."""
        return self._by_name.get(name.removeprefix(PREFIX), ())

    def file(self, model_id: str, name: str) -> tuple[MirrorModel, MirrorFile] | None:
        """Return a file by the model's id and its v2 name or its flat one."""
        model = self._by_id.get(model_id)
        if model is None:
            return None
        for file in model.files:
            if file.name == name:
                return model, file
        flat = flat_names(model.files)
        return next(((model, file) for file in model.files if flat.get(file.name) == name), None)

    def select(self, arguments: Mapping[str, str | bool | None]) -> tuple[MirrorModel, ...]:
        """Return the models that equal all arguments of an old query; None is no argument."""
        given = {name: value for name, value in arguments.items() if value is not None}
        found: Iterable[MirrorModel] = self.models
        if "repoName" in given or "stub" in given:
            found = self.named(str(given.get("repoName", given.get("stub"))))
        elif "domain" in given and "task" in given:
            found = self._by_place.get((str(given["domain"]), str(given["task"])), ())
        kept = [model for model in found if self._equals(model, given)]
        tag = given.get("sparseTag")
        if isinstance(tag, str):
            exact = [model for model in kept if tag in _tags(model.record)]
            # A bare name such as `pruned90_quant` is a tag cut short, not another one.
            kept = exact or [
                model
                for model in kept
                if "-" not in tag and model.record.sparse_tag.startswith(f"{tag}-")
            ]
        return tuple(kept)

    def _equals(self, model: MirrorModel, given: Mapping[str, str | bool]) -> bool:
        record = model.record
        for name, value in given.items():
            if name in _FIELDS and getattr(record, _FIELDS[name]) != value:
                return False
            if name == "sourceDataset" and value not in _datasets(record):
                return False
            if name == "modelId" and model.model_id != value:
                return False
            if name == "stub" and model not in self.named(str(value)):
                return False
            if name == "isPubliclyVisible" and value is not True:
                return False
        return True


def _plain_first(model: MirrorModel) -> tuple[bool, bool, bool, str]:
    record = model.record
    return (
        record.training_scheme is not None,
        record.sub_architecture is not None,
        bool(hardware_targets(record)),
        record.stub,
    )


def _tags(record: ModelRecord) -> tuple[object, ...]:
    return record.sparse_tag, record.raw.get("sparse_tag_v2")


def _datasets(record: ModelRecord) -> tuple[object, ...]:
    return record.source_dataset, record.raw.get("source_dataset_v2")
