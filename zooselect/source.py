"""Which catalog is asked: the one given, a server's, or the one inside the package."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from zooselect.catalog.asked import AtHand, Source
from zooselect.catalog.catalog import Catalog
from zooselect.errors import UsageError
from zooselect.settings import Settings

if TYPE_CHECKING:
    from zooselect.catalog.answer import Server
    from zooselect.net.client import Client
    from zooselect.net.url import Address

#: What the Python API takes for a catalog.
CatalogLike = Catalog | Source | str | os.PathLike[str] | None


def open_catalog(
    catalog: CatalogLike = None,
    *,
    api_url: str | None = None,
    offline: bool | None = None,
    refresh: bool | None = None,
    fallback: bool | None = None,
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Source:
    """Return what catalogs are got from; nothing is read from a server before it is asked.

    In this order: the catalog given or `ZOOSELECT_CATALOG`; the API at `api_url`,
    `ZOOSELECT_API_URL` or `SPARSEZOO_API_URL`; the embedded catalog. No host is a default.

    Args:
        catalog: a catalog, the path of a catalog file or a mirror's folder, or the URL of a
            mirror (`http:`, `https:`, and with the extra `[s3]` whatever fsspec reaches).
        api_url: base URL of a SparseZoo-compatible server.
        offline: open no socket: kept answers of any age, and else the embedded catalog. A
            program that keeps the source asks it again only after that.
        refresh: ask a server again, however fresh its kept answer is.
        fallback: whether a kept answer of any age, or else the embedded catalog, stands in
            for a server that fails. It says so in its provenance.
        settings: what is not given; None for the environment's.
        say: told in a line when a server has to be waited for.

    Raises:
        UsageError: no URL of a server, contradicting options.
        LocalFileError, IntegrityError: a catalog file that cannot be used.
    """
    if isinstance(catalog, Catalog):
        return AtHand(catalog)
    if catalog is not None and not isinstance(catalog, (str, os.PathLike)):
        return catalog
    given = settings or Settings.from_env()
    wanted = given._replace(
        catalog=os.fspath(catalog) if catalog is not None else given.catalog,
        api_url=api_url or given.api_url,
        offline=given.offline if offline is None else offline,
        refresh=given.refresh if refresh is None else refresh,
        no_fallback=given.no_fallback if fallback is None else not fallback,
    )
    if wanted.offline and wanted.refresh:
        raise UsageError(
            "offline, nothing can be asked again", hint="leave --offline or --refresh out"
        )
    place = wanted.catalog
    if place is not None and place.lower().startswith("file://"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        place = url2pathname(urlsplit(place).path)  # a folder, however it is called
    if place is not None and "://" not in place:
        return AtHand(Catalog.from_file(place))
    if place is None and wanted.api_url is None:
        return AtHand(Catalog.embedded())
    return _live(wanted, say)


def _live(settings: Settings, say: Callable[[str], None]) -> Source:
    from zooselect.cache.folder import cache_folder
    from zooselect.catalog.kept import KeptAnswers
    from zooselect.catalog.live import LiveCatalog, Terms

    return LiveCatalog(
        _server(settings, say),
        KeptAnswers(cache_folder(settings.cache_dir)),
        Terms(
            ttl=settings.cache_ttl,
            offline=settings.offline,
            refresh=settings.refresh,
            fallback=not settings.no_fallback,
        ),
    )


def _server(settings: Settings, say: Callable[[str], None]) -> Server:
    from zooselect.catalog.api import Api
    from zooselect.catalog.static import StaticMirror, StoredMirror
    from zooselect.net.url import parse_configured

    place = settings.catalog
    if place is None:
        address = parse_configured(settings.api_url or "", "the API's URL")
        return Api(address, _client_of(address, settings, say))
    if not place.lower().startswith(("http:", "https:")):
        return StoredMirror(place)
    address = parse_configured(place, "the catalog's URL")
    return StaticMirror(address, _client_of(address, settings, say))


def _client_of(
    home: Address, settings: Settings, say: Callable[[str], None]
) -> Callable[[], Client]:
    """Return what makes the client, once, when something is asked: it imports a great deal."""

    @cache
    def client() -> Client:
        from zooselect.net.client import Client

        return Client(
            home,
            token=settings.api_token,
            timeout=settings.timeout,
            patience=settings.patience,
            say=say,
        )

    return client
