"""What files a model has, according to whoever keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from zooselect.errors import NotFoundError, ServerError
from zooselect.names import collisions, safe_name

#: What may be asked for, and what of it one needs to run a model.
PARTS = ("model", "deployment", "training", "recipes", "samples", "card")
ALL = "all"
DEFAULT_PARTS = ("model", "deployment")

_MODEL, _MODEL_ARCHIVE = "model.onnx", "model.onnx.tar.gz"
_DEPLOYED, _DEPLOYMENT_ARCHIVE = "deployment/model.onnx", "deployment.tar.gz"
_PARTS = {
    "onnx": "model",
    "onnx_gz": "model",
    "deployment": "deployment",
    "training": "training",
    "framework": "training",  # the same, before 2023
    "recipe": "recipes",
    "inputs": "samples",
    "outputs": "samples",
    "labels": "samples",
    "originals": "samples",
    "card": "card",
}


#: The zoo's file types that are a part of a model.
TYPES = frozenset(_PARTS)


class RemoteFile(NamedTuple):
    """A file as its keeper lists it; names are data and not yet safe.

    Attributes:
        name: its v2 name, with the folder: `deployment/config.json`.
        kind: the zoo's file type.
        place: where it is fetched: a URL, or a path within a mirror.
        size: bytes; None where the keeper does not say.
        sha256: hex digest; None where it does not say.
        md5: hex digest; None where it does not say.
        pinned: whether size and digest are a lock file's, and not what the keeper says.
    """

    name: str
    kind: str
    place: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    pinned: bool = False

    @property
    def digest(self) -> str | None:
        """`sha256:…` or `md5:…` of the content, as its keeper states it; None without."""
        if self.sha256 is not None:
            return f"sha256:{self.sha256}"
        return None if self.md5 is None else f"md5:{self.md5}"

    @property
    def part(self) -> str | None:
        """What it is a part of, as it may be asked for; None for what nobody asks for."""
        if self.kind == "onnx" and "/" in self.name:
            return None  # the same network for other opsets
        return _PARTS.get(self.kind)


class Listing(NamedTuple):
    """The files of a model.

    Attributes:
        stub: the model's.
        names: every name of it, its own first.
        files: all files its keeper has.
        source: `api` or `mirror`.
        location: the keeper's URL or path, without secrets.
    """

    stub: str
    names: tuple[str, ...]
    files: tuple[RemoteFile, ...]
    source: str
    location: str


class Wanted(NamedTuple):
    """A file that is to be fetched.

    Attributes:
        file: the file.
        part: what it is a part of.
        unpack_to: for an archive, the folder its members go to, empty for the model's own;
            None for a file that is kept as it is.
    """

    file: RemoteFile
    part: str
    unpack_to: str | None = None


def wanted(listing: Listing, parts: Iterable[str]) -> tuple[Wanted, ...]:
    """Return what to fetch of a model for some parts of it, by name.

    An archive is wanted only where the files in it are not listed themselves.

    Args:
        listing: what there is.
        parts: of `PARTS`, or `ALL`; none for what one needs to run the model.

    Raises:
        NotFoundError: the keeper has nothing of a part.
        ServerError: a name that cannot be stored safely.
    """
    asked = tuple(parts)
    chosen: dict[str, Wanted] = {}
    for part in _resolved(listing, asked):
        found = _of_part(listing, part)
        if not found and asked and part != ALL:
            raise NotFoundError(
                f"{listing.location} has no {part} of {listing.stub}",
                hint=f"it has {', '.join(_there(listing)) or 'nothing'}",
            )
        chosen.update((one.file.name, one) for one in found)
    if not chosen:
        raise NotFoundError(
            f"{listing.location} has no network of {listing.stub}",
            hint=f"it has {', '.join(_there(listing)) or 'nothing'}; --only takes one of these",
        )
    _check_names(listing, list(chosen))
    return tuple(chosen[name] for name in sorted(chosen))


def _resolved(listing: Listing, parts: tuple[str, ...]) -> tuple[str, ...]:
    if ALL in parts:
        return (*_there(listing), ALL)
    return parts or DEFAULT_PARTS


def _there(listing: Listing) -> list[str]:
    present = {file.part for file in listing.files}
    return [part for part in PARTS if part in present]


def _of_part(listing: Listing, part: str) -> list[Wanted]:
    files = {file.name: file for file in listing.files}
    if part == ALL:
        return [Wanted(file, ALL) for file in listing.files if file.part is None]
    mine = [file for file in listing.files if file.part == part]
    archive, network, folder = {
        "model": (_MODEL_ARCHIVE, _MODEL, ""),
        "deployment": (_DEPLOYMENT_ARCHIVE, _DEPLOYED, "deployment"),
    }.get(part, ("", "", ""))
    loose = [file for file in mine if file.name != archive]
    if archive in files and network not in files:
        # What is listed beside an archive that has the network may be in it, too.
        return [Wanted(files[archive], part, folder)]
    return [Wanted(file, part) for file in loose]


def _check_names(listing: Listing, names: list[str]) -> None:
    def refuse(why: str) -> ServerError:
        return ServerError(
            f"{listing.location} lists files of {listing.stub} that cannot be stored: {why}",
            hint="its listing is broken, or hostile; nothing was fetched",
        )

    for name in names:
        try:
            safe_name(name)
        except ValueError as error:
            raise refuse(f"{name!a} has {error}") from error
    for one, other in collisions(names):
        raise refuse(f"{one!a} and {other!a} collide")
