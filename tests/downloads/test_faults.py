"""Every way a server can fail: a whole, verified model or none, and the next run is well."""

import time

import pytest

from tests.downloads.conftest import CONTENT, FILES
from tests.downloads.disk import check_nothing, check_whole, private, visible
from tests.downloads.zoo_server import (
    V1,
    V2,
    chunked,
    corrupt,
    cut,
    good,
    length,
    mislabelled,
    page,
    plain,
    ranged,
    redirect,
    refuse,
    stall,
    status,
    zipped,
)
from zooselect.downloads import fetch

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])

MODEL = {"model.onnx": CONTENT}
SIZE = len(CONTENT)


@pytest.fixture
def zoo(new_zoo):
    """One file is enough to be wrong."""
    return new_zoo(MODEL)


def check_failed(outcome, code, folder):
    """One line of error, one hint, and no model."""
    assert (outcome.code, outcome.out) == (code, ""), outcome
    assert len(outcome.errors) == 1
    told = [line for line in outcome.err.splitlines() if not line.startswith("note: ")]
    assert len(told) == 2, outcome.err
    assert "hint: " in outcome.err
    assert "Traceback" not in outcome.err
    check_nothing(folder)


def check_then_well(outcome, folder, files=MODEL):
    """A success, and the folder is the model."""
    assert (outcome.code, outcome.errors) == (0, []), outcome
    check_whole(folder, files)


#: Faults that last, and the exit code they come to.
LASTING = {
    "404": (status(404), 5),
    "403": (status(403), 5),
    "401": (status(401), 5),
    "410": (status(410), 5),
    "429": (status(429), 5),
    "500": (status(500), 5),
    "502": (status(502, b""), 5),
    "503": (status(503), 5),
    "503 as long as the file": (status(503, b"x" * SIZE), 5),
    "204": (status(204, b""), 5),
    "206 unasked": (ranged("bytes 0-{last}/{size}"), 5),
    "304": (status(304, b""), 5),
    "a page": (page(), 5),
    "a page as long as the file": (page(b"<html>".ljust(SIZE)), 6),
    "cut": (cut(0.5, ranges=False), 5),
    "cut to nothing": (cut(0), 5),
    "reset": (cut(0.5, hard=True, ranges=False), 5),
    "hang-up": (refuse, 5),
    "length too short": (length(-100), 5),
    "no length, cut": (lambda reply: plain(reply.content[:1000])(reply), 5),
    "no length, too long": (lambda reply: plain(reply.content + b"more")(reply), 6),
    "length of garbage, cut": (
        lambda reply: plain(reply.content[:1000], Content_Length="many")(reply), 5),
    "negative length": (lambda reply: plain(reply.content[:1000], Content_Length="-5")(reply), 5),
    "nothing": (plain(b"", Content_Length=0), 5),
    "chunked, cut": (chunked(0.5), 5),
    "chunked, garbage": (plain(b"zz\r\nnot hex\r\n", Transfer_Encoding="chunked"), 5),
    "corrupt at the start": (corrupt(0), 6),
    "corrupt in the middle": (corrupt(0.5), 6),
    "corrupt at the end": (corrupt(1), 6),
    "gzip, corrupt": (plain(b"not gzip", Content_Encoding="gzip"), 5),
    "a redirect loop": (redirect("/models/m1/model.onnx"), 5),
    "a redirect to a file": (redirect("file:///etc/passwd"), 5),
    "a redirect to nowhere": (redirect(""), 5),
    "a redirect to nobody": (redirect("http://127.0.0.1:1/x"), 5),
    "no HTTP": (lambda reply: reply.connection.sendall(b"hello\r\n\r\n"), 5),
    "endless headers": (
        lambda reply: reply.head(200, **{f"X-{number}": "y" * 1000 for number in range(200)}), 5),
}  # fmt: skip


@pytest.mark.parametrize("mirror", [False, True], ids=["api", "mirror"])
@pytest.mark.parametrize("name", LASTING)
def test_a_fault_that_lasts(zoo, get, tmp_path, name, mirror):
    fault, code = LASTING[name]
    folder = tmp_path / "model"
    zoo.faults("model.onnx", *[fault] * 50)
    check_failed(get(mirror=mirror), code, folder)
    assert len(zoo.asked("/models/")) <= 20  # it gives up, and soon
    zoo.faults("model.onnx")
    check_then_well(get(mirror=mirror), folder)
    assert {line.split()[0] for line in zoo.asked("/models/")} == {"GET"}


#: Faults that happen once and are got over in the same run.
PASSING = {
    "429": status(429),
    "500": status(500),
    "503": status(503),
    "503 with nothing": status(503, b""),
    "503, wait 0": status(503, Retry_After="0"),
    "503, wait until a date gone by": status(503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
    "503, wait until no date": status(503, Retry_After="soon"),
    "503, wait -5": status(503, Retry_After="-5"),
    "cut": cut(0.5),
    "cut to nothing": cut(0),
    "reset": cut(0.5, hard=True),
    "hang-up": refuse,
    "chunked, cut": chunked(0.5),
    "no length": lambda reply: plain(reply.content)(reply),
    "no length, cut": lambda reply: plain(reply.content[:1000])(reply),
    "length too short": length(-100),
    "length too long": length(100),
    "chunked": chunked(),
    "gzip": zipped(),
    "gzip without a length": zipped(chunks=True),
    "no ranges": lambda reply: plain(reply.content, Content_Length=SIZE)(reply),
}


@pytest.mark.parametrize("mirror", [False, True], ids=["api", "mirror"])
@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes(zoo, get, tmp_path, name, mirror):
    zoo.faults("model.onnx", PASSING[name])
    check_then_well(get(mirror=mirror), tmp_path / "model")


@pytest.mark.parametrize("share", range(11))
@pytest.mark.parametrize("hard", [False, True], ids=["closed", "reset"])
def test_a_cut_at_every_tenth(zoo, get, tmp_path, share, hard):
    """What came is not asked for again, but for what a reset may destroy on its way."""
    zoo.faults("model.onnx", cut(share / 10, hard=hard))
    check_then_well(get(), tmp_path / "model")
    again = zoo.sent_of("model.onnx") - SIZE
    assert again <= (SIZE if hard else 0)


def test_many_cuts_are_one_download_while_it_goes_forward(zoo, get, tmp_path):
    zoo.faults("model.onnx", *[cut(0.3)] * 12)
    check_then_well(get(), tmp_path / "model")
    assert zoo.sent_of("model.onnx") == SIZE
    assert len(zoo.asked("model.onnx")) == 13


def test_a_server_that_cuts_and_knows_no_ranges_is_not_asked_for_ever(zoo, get, tmp_path):
    """Half a file, again and again from its start, is no headway."""
    zoo.md5, zoo.etag = False, lambda content: ""
    zoo.faults("model.onnx", *[cut(0.5, ranges=False)] * 500)
    check_failed(get(), 5, tmp_path / "model")
    assert len(zoo.asked("model.onnx")) <= 5


#: Answers to the second request, of a range; the third is good. With the bytes that come in all.
RESUMED = {
    "right": (good, SIZE),
    "another start": (ranged("bytes 0-{last}/{size}"), None),
    "start one less": (ranged("bytes 149999-{last}/{size}"), None),
    "no range": (ranged("nonsense"), None),
    "no unit": (ranged("{start}-{last}/{size}"), None),
    "another total": (ranged("bytes {start}-{last}/999999"), None),
    "end before start": (ranged("bytes {start}-0/{size}"), None),
    "unknown total": (ranged("bytes {start}-{last}/*"), SIZE),
    "a part of the range": (ranged("bytes {start}-200000/{size}", CONTENT[150_000:200_001]), None),
    "compressed": (ranged("bytes {start}-{last}/{size}", Content_Encoding="gzip"), None),
    "the whole": (lambda reply: plain(reply.content, Content_Length=SIZE)(reply), None),
    "416": (ranged("bytes */{size}", b"", 416), None),
    "416 with a page": (ranged("bytes */{size}", b"x" * 500, 416), None),
    "200 with the rest": (plain(CONTENT[150_000:], Content_Length=150_000),
                          None),
    "500": (status(500), SIZE + 15),
    "cut": (cut(0.5), SIZE),
}  # fmt: skip


@pytest.mark.parametrize("name", RESUMED)
def test_only_what_is_proven_is_appended(zoo, get, tmp_path, name):
    fault, sent = RESUMED[name]
    zoo.faults("model.onnx", cut(0.5), fault)
    check_then_well(get(), tmp_path / "model")
    if sent is not None:
        assert zoo.sent_of("model.onnx") == sent


@pytest.mark.parametrize("name", RESUMED)
def test_the_same_where_nobody_states_a_digest(zoo, get, tmp_path, name):
    """The entity tag is all there is to go by."""
    zoo.md5 = False
    zoo.faults("model.onnx", cut(0.5), RESUMED[name][0])
    outcome = get()
    check_then_well(outcome, tmp_path / "model")


def test_a_range_of_other_content_with_another_tag(zoo, get, tmp_path):
    """206 to an If-Range that does not hold: without a digest only the tag can tell."""
    zoo.md5 = False
    other = bytes(SIZE)
    zoo.faults(
        "model.onnx",
        cut(0.5),
        ranged("bytes {start}-{last}/{size}", other[150_000:], ETag='"another"'),
    )
    check_then_well(get(), tmp_path / "model")


@pytest.mark.parametrize("md5", [False, True], ids=["tag", "digest"])
def test_a_file_that_changes_between_attempts(zoo, get, tmp_path, md5):
    """The old half is never put together with the new one."""
    zoo.md5 = md5
    new = CONTENT[::-1]

    def change(reply):
        cut(0.5)(reply)
        zoo.files["model.onnx"] = new

    zoo.faults("model.onnx", change)
    outcome = get()
    if md5:  # the listing speaks of the old one
        check_failed(outcome, 6, tmp_path / "model")
        outcome = get()
    check_then_well(outcome, tmp_path / "model", {"model.onnx": new})


def test_a_tag_that_changes_with_every_answer(zoo, get, tmp_path):
    """Servers in a row that do not agree: no resume, and no mixture."""
    tags = iter(range(1000))
    zoo.etag = lambda content: f'"{next(tags)}"'
    zoo.md5 = False
    zoo.faults("model.onnx", cut(0.5), cut(0.7))
    check_then_well(get(), tmp_path / "model")


@pytest.mark.parametrize("tag", ['W/"weak"', "unquoted", '"', ""])
def test_a_weak_tag_proves_nothing(zoo, get, tmp_path, tag):
    zoo.md5, zoo.etag = False, lambda content: tag
    zoo.faults("model.onnx", cut(0.5))
    check_then_well(get(), tmp_path / "model")
    assert all("if-range" not in one.headers for one in zoo.requests)
    assert zoo.sent_of("model.onnx") == SIZE * 3 // 2


def test_a_stall_is_cut_and_gone_on_with(zoo, get, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOOSELECT_TIMEOUT", "0.3")
    zoo.faults("model.onnx", stall(0.5, 12), stall(0, 12))
    begun = time.monotonic()
    check_then_well(get(), tmp_path / "model")
    assert time.monotonic() - begun < 10


def test_a_stall_that_lasts(zoo, get, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOOSELECT_TIMEOUT", "0.1")
    zoo.faults("model.onnx", *[stall(0.1, 2)] * 20)
    outcome = get()
    check_failed(outcome, 5, tmp_path / "model")
    assert "in time" in outcome.err


#: How long a server may ask one to wait: (header, whether it is waited).
WAITS = [("86400", False), ("9" * 400, False), ("Fri, 31 Dec 2999 23:59:59 GMT", False)]


@pytest.mark.parametrize(("header", "waited"), WAITS)
@pytest.mark.parametrize("code", [429, 503])
def test_an_absurd_wait_is_not_waited(zoo, get, tmp_path, header, waited, code):
    zoo.faults("model.onnx", *[status(code, Retry_After=header)] * 9)
    begun = time.monotonic()
    check_failed(get(), 5, tmp_path / "model")
    assert time.monotonic() - begun < 30
    assert len(zoo.asked("model.onnx")) == 1


def test_a_wait_in_seconds_is_waited(zoo, get, tmp_path):
    zoo.faults("model.onnx", status(503, Retry_After="1"))
    begun = time.monotonic()
    check_then_well(get(), tmp_path / "model")
    assert time.monotonic() - begun > 0.9


def test_resumed_in_the_next_run(zoo, get, tmp_path):
    """The first run fails with half of it; the second fetches the other half."""
    zoo.faults("model.onnx", cut(0.5), *[status(503)] * 9)
    check_failed(get(), 5, tmp_path / "model")
    assert private(tmp_path / "model") != []
    zoo.faults("model.onnx")
    check_then_well(get(), tmp_path / "model")
    assert zoo.sent_of("model.onnx") == SIZE + 15 * 3 + 15 * (len(zoo.asked("model.onnx")) - 5)


def test_what_was_kept_of_an_older_version_is_not_used(zoo, get, tmp_path):
    zoo.faults("model.onnx", cut(0.5), *[status(503)] * 9)
    check_failed(get(), 5, tmp_path / "model")
    new = CONTENT[::-1]
    zoo.files["model.onnx"] = new
    zoo.faults("model.onnx")
    check_then_well(get(), tmp_path / "model", {"model.onnx": new})


def test_a_part_that_was_tampered_with_is_not_used(zoo, get, tmp_path):
    zoo.faults("model.onnx", cut(0.5), *[status(503)] * 9)
    get()
    (part,) = (tmp_path / "model" / ".zooselect-model").glob("*.part")
    content = bytearray(part.read_bytes())
    content[10] ^= 1
    part.write_bytes(content)
    zoo.faults("model.onnx")
    check_then_well(get(), tmp_path / "model")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("other", [False, True], ids=["here", "elsewhere"])
def test_redirects_are_followed(zoo, new_zoo, get, tmp_path, code, other):
    server = new_zoo(MODEL) if other else zoo
    server.files["moved"] = CONTENT
    zoo.rows["moved"] = {"fileType": "other"}
    zoo.faults("model.onnx", redirect(f"{server.url}/models/m1/moved", code))
    check_then_well(get(), tmp_path / "model")


def test_the_token_goes_to_the_configured_server_alone(zoo, new_zoo, get, tmp_path, monkeypatch):
    """Neither a redirect nor a listing gets it to go elsewhere; another port is elsewhere."""
    monkeypatch.setenv("ZOOSELECT_API_TOKEN", "secret-1")
    other = new_zoo({"model.onnx": CONTENT, "recipe.md": b"r"})
    zoo.files["recipe.md"] = b"r"
    zoo.rows["recipe.md"] = {"downloadUrl": f"{other.url}/models/m1/recipe.md"}
    zoo.faults("model.onnx", redirect(f"{other.url}/models/m1/model.onnx"))
    assert get("--only", "all").code == 0
    assert len(other.requests) == 2
    assert [one.headers.get("authorization") for one in other.requests] == [None, None]
    assert {one.headers.get("authorization") for one in zoo.requests} == {"Bearer secret-1"}


def test_credentials_in_a_url_of_the_listing_are_not_sent(zoo, get, tmp_path):
    place = zoo.url.replace("//", "//user:word@") + "/models/m1/model.onnx"
    zoo.rows["model.onnx"] = {"downloadUrl": place}
    check_then_well(get(), tmp_path / "model")
    assert [one.headers.get("authorization") for one in zoo.requests] == [None, None]


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[::1", "data:,x",
              "http://127.0.0.1:99999/", "http://a b/"]
)  # fmt: skip
def test_a_listing_with_no_url(zoo, get, tmp_path, place):
    zoo.rows["model.onnx"] = {"downloadUrl": place}
    check_failed(get(), 5, tmp_path / "model")


@pytest.mark.parametrize("mirror", [False, True], ids=["api", "mirror"])
@pytest.mark.parametrize(
    "fault", [status(500), page(), refuse, plain(b"[]"), plain(b"{}"), plain(b"{"), plain(b"null")]
)
def test_a_listing_that_fails(zoo, get, tmp_path, fault, mirror):
    zoo.faults("/catalog.json" if mirror else "/v2/graphql", *[fault] * 9)
    check_failed(get(mirror=mirror), 5, tmp_path / "model")
    zoo.script.clear()
    check_then_well(get("--refresh", mirror=mirror), tmp_path / "model")


def test_a_listing_that_fails_once(zoo, get, tmp_path):
    zoo.faults("/v2/graphql", status(503))
    check_then_well(get(), tmp_path / "model")
    assert zoo.asked() == ["POST /v2/graphql"] * 2 + ["GET /models/m1/model.onnx"]


def test_an_api_without_md5_is_asked_with_less(zoo, get, tmp_path):
    zoo.md5 = False
    check_then_well(get(), tmp_path / "model")
    assert zoo.asked() == ["POST /v2/graphql"] * 2 + ["GET /models/m1/model.onnx"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (good, 0),
        (chunked(), 0),
        (chunked(0.5, etag=False), 5),
        (cut(0.5, ranges=False), 5),
        (plain(CONTENT), 5),
        (page(), 6),
        (page(b"\n <HTML lang=x>"), 6),
        (zipped(), 0),
        (mislabelled, 5),
    ],
)
def test_a_file_without_a_known_size_or_digest(zoo, get, tmp_path, fault, code):
    """Only what HTTP itself bounds is taken: a body that may be cut is not."""
    zoo.md5 = zoo.size = False
    zoo.faults("model.onnx", *[fault] * 9)
    outcome = get()
    if code:
        check_failed(outcome, code, tmp_path / "model")
    else:
        check_then_well(outcome, tmp_path / "model")


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
def test_an_empty_file(zoo, get, tmp_path, known):
    """Old clients cannot fetch one."""
    zoo.md5 = zoo.size = known
    zoo.files["deployment/empty.json"] = b""
    files = {**MODEL, "deployment/empty.json": b""}
    check_then_well(get(), tmp_path / "model", files)
    assert len(zoo.asked("empty")) == 1
    get("--refresh")
    check_whole(tmp_path / "model", files)


def test_a_file_that_is_gone_since_it_was_listed(zoo, get, tmp_path):
    zoo.files["deployment/config.json"] = b"{}"
    zoo.faults("deployment/config.json", status(404))
    check_failed(get(), 5, tmp_path / "model")
    check_then_well(get(), tmp_path / "model", dict(zoo.files))


@pytest.mark.parametrize("stub", [V1, V2])
def test_one_request_a_file(zoo, get, tmp_path, stub):
    zoo.files.update(FILES)
    folder = tmp_path / "model"
    asked = ["model.onnx", "deployment/config.json", "deployment/model.onnx"]
    check_then_well(get(stub=stub), folder, {name: FILES[name] for name in asked})
    assert zoo.asked()[0] == "POST /v2/graphql"
    assert sorted(zoo.asked()[1:]) == sorted(f"GET /models/m1/{name}" for name in asked)
    before = len(zoo.requests)
    check_then_well(get(stub=stub), folder, {name: FILES[name] for name in asked})
    assert len(zoo.requests) == before  # it is there, and fresh: nobody is asked
    check_then_well(get("--refresh", stub=stub), folder, {name: FILES[name] for name in asked})
    assert zoo.asked()[before:] == ["POST /v2/graphql"]
    outcome = get("--only", "recipes", stub=stub)
    check_then_well(outcome, folder, {name: FILES[name] for name in (*asked, "recipe.md")})
    assert zoo.asked()[before + 1 :] == ["POST /v2/graphql", "GET /models/m1/recipe.md"]


def test_the_same_content_twice_is_fetched_once(zoo, get, tmp_path):
    zoo.files["deployment/model.onnx"] = CONTENT
    check_then_well(get(), tmp_path / "model", dict(zoo.files))
    assert len(zoo.asked("model.onnx")) == 1


def test_foreign_files_are_left_alone(zoo, get, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    assert get().code == 0
    assert visible(folder) == {**MODEL, "notes.txt": b"mine"}


def test_a_body_that_trickles(zoo, get, tmp_path, monkeypatch):
    """More comes, but so slowly that it would never be whole: no hang, and nothing is lost."""
    zoo.pace = 0.01
    with monkeypatch.context() as patch:
        patch.setattr(fetch, "_STALLED_WITHIN", 0.0)
        patch.setattr(fetch, "_STALLED_RATE", SIZE * 1e6)
        patch.setenv("ZOOSELECT_RETRY_BUDGET", "0")
        done = get()
    check_failed(done, 5, tmp_path / "model")
    assert "at less than 1 kB/s" in done.err
    zoo.pace = 0.0
    check_then_well(get(), tmp_path / "model", MODEL)
