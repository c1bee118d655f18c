"""Which catalog is asked."""

from urllib.parse import quote

import pytest

from tests.net.loopback import CATALOG, ROWS, STUB, allowed, answer, reset
from tests.test_package import watched
from zooselect import Catalog, resolve, search
from zooselect.catalog.asked import AtHand
from zooselect.catalog.live import LiveCatalog
from zooselect.errors import IntegrityError, LocalFileError, UsageError
from zooselect.settings import Settings
from zooselect.source import open_catalog

API, MIRROR = "http://zoo.example/api", "http://zoo.example/mirror"


@pytest.mark.parametrize(
    ("catalog", "api_url", "settings", "place"),
    [
        (None, None, {}, None),
        (None, API, {}, API),
        (None, None, {"api_url": API}, API),
        (None, API, {"api_url": "http://other"}, API),
        (MIRROR, API, {}, MIRROR),
        (MIRROR, None, {"catalog": "http://other"}, MIRROR),
        (None, API, {"catalog": MIRROR}, MIRROR),
        ("s3://bucket/zoo", None, {}, "s3://bucket/zoo"),
    ],
)
def test_the_order_of_sources(catalog, api_url, settings, place):
    source = open_catalog(catalog, api_url=api_url, settings=Settings(**settings))
    assert (source.files and source.files.place) == place
    assert isinstance(source, AtHand if place is None else LiveCatalog)


def test_a_catalog_or_a_source_is_taken_as_it_is():
    embedded = Catalog.embedded()
    source = open_catalog(embedded, settings=Settings(api_url=API))
    assert source.at_hand == embedded.provenance
    assert open_catalog(source) is source


def test_files(catalog_file, tmp_path):
    path = catalog_file([{"stub": STUB}], name="mine.json")
    assert open_catalog(path).at_hand.source == "file"
    assert open_catalog(path).files is None
    path = catalog_file([{"stub": STUB}])
    folder = ("folder", str(tmp_path), None, None)
    assert open_catalog(path).at_hand.source == "file"
    assert open_catalog(tmp_path).at_hand.source == "mirror"
    assert open_catalog(path).files == open_catalog(tmp_path).files == folder
    assert open_catalog(f"file://{quote(str(tmp_path))}", offline=True).files == folder
    with pytest.raises(LocalFileError):
        open_catalog(tmp_path / "nothing")
    path.write_text("{")
    with pytest.raises(IntegrityError):
        open_catalog(path)


@pytest.mark.parametrize("url", ["zoo.example", "ftp://zoo.example", "http://", "http://a b"])
def test_no_url(url):
    with pytest.raises(UsageError, match="the API's URL"):
        open_catalog(api_url=url)


def test_offline_contradicts_refresh():
    with pytest.raises(UsageError):
        open_catalog(offline=True, refresh=True)
    with pytest.raises(UsageError):
        open_catalog(refresh=True, settings=Settings(offline=True))
    assert open_catalog(refresh=True, offline=False, settings=Settings(offline=True))


@allowed
def test_a_program_asks_once(loopback, tmp_path):
    server = loopback(answer(ROWS))
    settings = Settings(cache_dir=str(tmp_path))
    source = open_catalog(api_url=server.url, settings=settings)
    assert server.requests == []
    for level in (0.3, 0.5, 1.0):
        assert resolve("ic", level, catalog=source).stub == STUB
    assert len(server.requests) == 1
    server.then(reset)
    offline = open_catalog(api_url=server.url, offline=True, settings=settings)
    assert resolve("ic", catalog=offline).stub == STUB


@allowed
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("kind", ["api", "mirror"])
def test_offline_not_even_a_socket_is_made(loopback, monkeypatch, tmp_path, kind, kept):
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(tmp_path))
    server = loopback(answer(ROWS if kind == "api" else CATALOG))
    monkeypatch.setenv("ZOOSELECT_API_URL" if kind == "api" else "ZOOSELECT_CATALOG", server.url)
    stub = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none"
    commands = [
        ["resolve", "ic"],
        ["resolve", "ic", "--mode", "one-shot"],
        ["resolve", "ic", "--mode", "training-aware"],
        ["levels", "ic"],
        ["search"],
        ["search", "ic"],
        ["show", STUB if kept else stub],
        ["show", STUB if kept else stub, "--json"],
    ]
    if kept:
        for task in (None, "ic"):
            search(task)
    before = len(server.requests)
    events, modules = watched(
        "from zooselect.cli.main import run; "
        f"print([run([*one, '--offline']) for one in {commands}])"
    )
    assert [name for name, _ in events if name.startswith("socket.")] == []
    assert not {"requests", "urllib3", "http.client", "ssl"} & set(modules)
    assert len(server.requests) == before
