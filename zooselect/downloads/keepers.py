"""Which keeper has a model's files, for a catalog's source: an API, a mirror, or nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zooselect.catalog.asked import Asked, FilesAt, Source
from zooselect.downloads.listing import Listing
from zooselect.errors import NotFoundError, OfflineError
from zooselect.settings import Settings
from zooselect.stub import RECIPES, Stub

if TYPE_CHECKING:
    from zooselect.downloads.api_files import ApiFiles
    from zooselect.downloads.keeper import HttpMirror, Keeper, StoreMirror
    from zooselect.record import ModelRecord


def listed(stub: Stub, source: Source, settings: Settings) -> tuple[Keeper, Listing]:
    """Return who keeps a model's files, and which there are.

    Raises:
        ZooSelectError: as `download`.
    """
    keeper, listing = _listed(stub, source, settings)
    _check_recipe(stub, listing)
    return keeper, listing


def _listed(stub: Stub, source: Source, settings: Settings) -> tuple[Keeper, Listing]:
    files = source.files
    if settings.offline and (files is None or files.kind != "folder"):
        raise OfflineError(
            f"offline, and not all that is wanted of {stub.canonical} is here",
            hint="download it once without --offline",
        )
    if files is not None and files.kind == "api":
        keeper = _api(files)
        try:
            return keeper, keeper.listing(stub)
        except NotFoundError as missing:
            # The server may know it by another name, which its catalog tells.
            try:
                record = _record(stub, source)
            except NotFoundError:
                raise missing from None
            other = next((name for name in record.aliases if name != stub.canonical), record.stub)
            if other == stub.canonical:
                raise
            return keeper, keeper.listing(Stub.parse(other))
    record = _record(stub, source)
    if files is None:
        raise NotFoundError(
            f"the catalog has no files: nobody to fetch {record.stub} from",
            hint="name a mirror (--catalog) or a server (--api-url);"
            " `zooselect cache import` takes over an old client's cache",
        )
    mirror = _mirror(files)
    return mirror, mirror.listing(record)


def _record(stub: Stub, source: Source) -> ModelRecord:
    # The catalog inside the package has no files: it cannot stand in for a server here.
    return source.of(Asked.of_stub(stub), embedded=False).find(stub)


def _check_recipe(stub: Stub, listing: Listing) -> None:
    """Refuse a stub that names a recipe its model does not have."""
    recipes = [file.name for file in listing.files if file.part == "recipes"]
    for parameter, value in stub.parameters:
        if parameter in RECIPES and not any(name.startswith(f"recipe_{value}") for name in recipes):
            raise NotFoundError(
                f"{listing.location} has no recipe {value!a} of {listing.stub}",
                hint=f"it has {', '.join(recipes) or 'none'}",
            )


def _mirror(files: FilesAt) -> HttpMirror | StoreMirror:
    from zooselect.downloads.keeper import HttpMirror, StoreMirror

    if files.address is not None and files.client is not None:
        return HttpMirror(files.address, files.client())
    from zooselect.mirror.remote import open_store

    return StoreMirror(open_store(files.place))


def _api(files: FilesAt) -> ApiFiles:
    from zooselect.catalog.api import Api
    from zooselect.downloads.api_files import ApiFiles

    assert files.address is not None, "an API has a URL"
    assert files.client is not None, "and is asked by a client"
    return ApiFiles(Api(files.address, files.client), files.address, files.client())
