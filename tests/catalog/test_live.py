"""Freshness, fallbacks, and what is told of them; the clock is the tests'."""

import pytest

from zooselect import Catalog
from zooselect.cache.answers import AnswerCache
from zooselect.catalog.answer import Answer, iso
from zooselect.catalog.asked import Asked, FilesAt
from zooselect.catalog.kept import KeptAnswers
from zooselect.catalog.live import LiveCatalog, Terms
from zooselect.errors import NetworkError, OfflineError, ServerError

IC = Asked("cv", "classification")
STUB = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none"
NOW = 1_800_000_000
TTL = 1000


class Served:
    """A server that answers until it is told to fail, and counts."""

    source, location, key = "api", "http://zoo", "http://zoo"
    files = FilesAt("api", "http://zoo")
    failure = None
    models, whole = [{"stub": STUB}], True

    def __init__(self, clock):
        self.asked = []
        self._clock = clock

    def question(self, asked):
        return asked

    def ask(self, asked, known):
        self.asked.append((asked, known))
        if self.failure:
            raise self.failure
        return Answer(
            "api", self.location, asked, self._clock(), "sha256:0", self.models, whole=self.whole
        )


class World:
    """A server, a store on disk and a clock that is put forward by hand."""

    def __init__(self, root):
        self.now = NOW
        self.server = Served(lambda: self.now)
        self.store = KeptAnswers(root)

    def of(self, asked=IC, **terms):
        """Ask as a new process would."""
        return self.source(**terms).of(asked).provenance

    def source(self, **terms):
        return LiveCatalog(
            self.server, self.store, Terms(**{"ttl": TTL, **terms}), lambda: self.now
        )

    def fails(self):
        self.server.failure = NetworkError("zoo: no answer")


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_live_answer(world):
    told = world.of()
    assert (told.source, told.location, told.fetched_at) == ("api", "http://zoo", iso(NOW))
    assert (told.age_seconds, told.from_cache, told.stale) == (0, False, False)
    assert (told.instead_of, told.fallback) == (None, None)


@pytest.mark.parametrize(
    ("later", "asked"), [(0, 1), (TTL - 1, 1), (TTL, 2), (TTL + 1, 2), (-1, 2), (-(10**6), 2)]
)
def test_an_answer_is_taken_for_so_long(world, later, asked):
    world.of()
    world.now += later
    told = world.of()
    assert len(world.server.asked) == asked
    assert told.from_cache == (asked == 1)
    assert told.age_seconds == (later if asked == 1 else 0)
    assert not told.stale


def test_a_program_that_runs_for_long_asks_again(world):
    source = world.source()
    for _ in range(3):
        source.of(IC)
    assert len(world.server.asked) == 1
    world.now += TTL
    assert source.of(IC).provenance.fetched_at == iso(NOW + TTL)


def test_a_kept_answer_stays_no_longer_in_a_program_than_on_disk(world):
    world.of()
    world.now += TTL - 10
    source = world.source()
    assert source.of(IC).provenance.from_cache
    world.now += 10
    assert not source.of(IC).provenance.from_cache


def test_refresh_asks_with_what_is_known(world):
    world.of()
    world.of(refresh=True)
    assert [known and known.fetched_at for _, known in world.server.asked] == [None, NOW]


def test_without_a_time_to_live_every_command_asks(world):
    for _ in range(2):
        told = world.of(ttl=0)
        assert (told.from_cache, told.stale) == (False, False)
    assert len(world.server.asked) == 2
    told = world.of(ttl=0, offline=True)
    assert (told.from_cache, told.stale) == (True, True)


def test_a_stale_answer_stands_in_and_says_so(world):
    world.of()
    world.now += 3 * 86_400
    world.fails()
    told = world.of()
    assert (told.from_cache, told.stale, told.age_seconds) == (True, True, 3 * 86_400)
    assert (told.instead_of, told.reason) == ("http://zoo", "zoo: no answer")
    assert told.fallback == "zoo: no answer; answering from its answer of 3 days ago"
    assert told.fetched_at == iso(NOW)


def test_an_answer_from_the_future_is_of_unknown_age(world):
    world.of()
    world.now -= 500
    world.fails()
    told = world.of()
    assert (told.stale, told.age_seconds) == (True, None)
    assert told.fallback == "zoo: no answer; answering from its answer of unknown age"


def test_where_there_was_nothing_is_looked_again(world):
    world.server.models = []
    assert not world.of().from_cache
    del world.server.models
    assert len(world.source().of(IC)) == 1
    world.server.models = []
    world.of(refresh=True)
    # Nothing is the last that the server said.
    assert len(world.source(offline=True).of(IC)) == 0
    world.fails()
    assert world.of().from_cache


def test_what_is_not_all_replaces_nothing_better(world):
    whole = world.of()
    world.server.whole = False
    source = world.source(refresh=True)
    assert not source.of(IC).provenance.from_cache
    assert world.of(offline=True).fetched_at == whole.fetched_at
    world.server.whole = True
    world.now += 61
    source.of(IC)
    assert len(world.server.asked) == 3
    assert world.of(offline=True).fetched_at == iso(world.now)


def test_what_is_not_all_is_better_than_nothing(world):
    world.server.whole = False
    world.of()
    assert not world.of().from_cache  # asked again, however fresh
    assert len(world.server.asked) == 2
    assert world.of(offline=True).from_cache
    world.fails()
    assert world.of().from_cache


def test_the_snapshot_stands_in_and_is_never_kept(world):
    world.fails()
    told = world.of()
    snapshot = Catalog.embedded().provenance
    assert told == snapshot._replace(instead_of="http://zoo", reason="zoo: no answer")
    assert world.store.load(world.server, IC) is None
    with pytest.raises(NetworkError):
        world.of(fallback=False)
    world.server.failure = None
    assert world.of().source == "api"


def test_a_program_does_not_ask_a_failing_server_at_every_turn(world):
    world.fails()
    source = world.source()
    source.of(IC)
    source.of(IC)
    assert len(world.server.asked) == 1
    world.server.failure = None
    world.now += 61
    assert source.of(IC).provenance.source == "api"


def test_without_a_fallback_the_error_is_the_servers(world):
    world.of()
    world.now += TTL
    world.server.failure = ServerError("zoo: odd")
    with pytest.raises(ServerError, match="zoo: odd"):
        world.of(fallback=False)


def test_offline_asks_nobody(world):
    with pytest.raises(OfflineError, match="offline, and no answer of http://zoo is kept"):
        world.of(offline=True, fallback=False)
    assert world.of(offline=True).source == "snapshot"
    assert world.server.asked == []
    world.of()
    world.now += 10 * TTL
    told = world.of(offline=True, fallback=False)
    assert (told.from_cache, told.stale, told.instead_of) == (True, True, None)
    assert len(world.server.asked) == 1


def test_bugs_are_not_taken_for_failures_of_the_server(world):
    world.server.failure = KeyError("ours")
    with pytest.raises(KeyError):
        world.of()


def test_questions_and_servers_have_answers_of_their_own(world):
    world.of()
    assert world.store.load(world.server, Asked()) is None
    assert world.store.load(world.server, Asked(name="cv")) is None
    other = Served(lambda: NOW)
    for name, value in (("key", "http://other"), ("source", "mirror")):
        setattr(other, name, value)
        assert world.store.load(other, IC) is None


@pytest.mark.parametrize("document", [5, [], {}, {"schema": 2}, "text"])
def test_what_another_version_kept_is_a_miss(world, tmp_path, document):
    world.of()
    cache = AnswerCache(tmp_path)
    (entry,) = cache.entries()
    assert cache.put(entry.key, document)
    assert not world.of().from_cache
    assert cache.put(entry.key, {**entry.document, "question": {"name": "another"}})
    assert not world.of().from_cache


@pytest.mark.parametrize("asked", [IC, Asked(name="resnet_v1-50-imagenet-base")])
def test_an_answer_that_has_all_models_will_do(world, asked):
    """Only where nobody can be asked: it may be older than an answer of its own would be."""
    world.of(Asked())
    told = world.of(asked, offline=True)
    assert (told.source, told.from_cache) == ("api", True)
    assert world.of(asked, offline=True, fallback=False).from_cache
    world.fails()
    told = world.of(asked)
    assert (told.source, told.reason) == ("api", "zoo: no answer")
    with pytest.raises(NetworkError):
        world.of(asked, fallback=False)


def test_an_answer_of_one_task_will_not_do_for_all(world):
    world.of(IC)
    assert world.of(Asked(), offline=True).source == "snapshot"
