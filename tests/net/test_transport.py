"""Certificates, proxies and netrc: the environment's, with no way round our own secrets."""

import base64

import pytest
import trustme

from tests.net.loopback import allowed, answer, closed_port, dripping
from zooselect.errors import NetworkError, ServerError, UsageError
from zooselect.net import transport
from zooselect.net.client import Client
from zooselect.net.url import parse

pytestmark = allowed

OK = answer(b"content")


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def certificate(authority, tmp_path):
    """A certificate for 127.0.0.1, with its key."""
    path = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))


@pytest.fixture
def proxy(loopback, monkeypatch):
    """A proxy of all hosts that answers itself."""
    server = loopback(OK)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://me:proxy-secret@{server.host}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    return server


def fetch(url, home=None, method="GET", **options):
    client = Client(parse(home or url), timeout=1, patience=0, **options)
    try:
        return client.fetch(method, parse(url)).content
    finally:
        client.close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_certificate_of_an_own_authority(loopback, certificate, trusted):
    assert fetch(loopback(OK, certificate=certificate).url) == b"content"


def test_an_unknown_certificate_is_refused_at_once(loopback, certificate):
    server = loopback(OK, certificate=certificate)
    with pytest.raises(NetworkError, match=r"no secure connection: .*certificate") as error:
        fetch(server.url)
    assert not error.value.retry
    assert error.value.hint == "REQUESTS_CA_BUNDLE names the certificates to trust"
    assert server.requests == []


def test_https_is_not_left_for_http(loopback, certificate, trusted):
    plain = loopback(OK)
    server = loopback(answer(status="302 Found", Location=plain.url), certificate=certificate)
    with pytest.raises(ServerError, match="redirects from https to http"):
        fetch(server.url)
    assert plain.requests == []


def test_late_headers_over_tls(loopback, certificate, trusted, monkeypatch):
    monkeypatch.setattr(transport, "_HEADERS_WITHIN", 0.2)
    drip = dripping(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    with pytest.raises(NetworkError):
        fetch(loopback(drip, certificate=certificate).url)


def test_a_proxy(proxy):
    assert fetch("http://zoo.example/a", token="secret") == b"content"
    request = proxy.requests[0]
    assert request.target == "http://zoo.example/a"
    assert request.headers["proxy-authorization"] == basic("me", "proxy-secret")
    assert request.headers["authorization"] == "Bearer secret"


def test_no_proxy(proxy, loopback, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = loopback(OK)
    assert fetch(server.url + "/a") == b"content"
    assert server.requests[0].target == "/a"
    assert "proxy-authorization" not in server.requests[0].headers
    assert proxy.requests == []


@pytest.mark.parametrize("status", ["407 Who", "403 No", "502 Bad"])
def test_a_proxy_that_refuses(proxy, status):
    proxy.then(answer(status=status))
    with pytest.raises(NetworkError) as error:
        fetch("https://zoo.example/a", token="secret")
    assert proxy.requests[0][:2] == ("CONNECT", "zoo.example:443")
    assert "authorization" not in proxy.requests[0].headers
    assert "proxy-secret" not in error.value.message + error.value.hint


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-Drip: "])
def test_a_proxy_whose_answer_drips(proxy, monkeypatch, begun):
    monkeypatch.setattr(transport, "_HEADERS_WITHIN", 0.3)
    proxy.then(dripping(begun, piece=b"x: y\r\n" if begun.endswith(b"\n") else b"x"))
    with pytest.raises(NetworkError, match=r"zoo\.example"):
        fetch("https://zoo.example/a")


@pytest.mark.parametrize("place", ["127.0.0.1:{port}", "[bad", "bad host"])
def test_a_proxy_that_is_not_there(monkeypatch, place):
    monkeypatch.delenv("no_proxy", raising=False)
    place = place.format(port=closed_port())
    monkeypatch.setenv("http_proxy", f"http://me:proxy-secret@{place}")
    with pytest.raises(NetworkError) as error:
        fetch("http://zoo.example/a")
    assert "proxy-secret" not in error.value.message + error.value.hint


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login net password rc\n")
    monkeypatch.setenv("NETRC", str(path))


@pytest.mark.parametrize(
    ("user", "token", "sent"),
    [
        ("", None, basic("net", "rc")),
        ("", "mine", "Bearer mine"),
        ("me:secret@", None, basic("me", "secret")),
        ("me:secret@", "mine", "Bearer mine"),
    ],
)
def test_netrc_comes_last(loopback, netrc, user, token, sent):
    server = loopback(OK)
    assert fetch(f"http://{user}{server.host}/", token=token) == b"content"
    assert server.requests[0].headers["authorization"] == sent


@pytest.mark.parametrize(("user", "token"), [("", "mine"), ("me:secret@", None)])
def test_secrets_stay_at_home(loopback, user, token):
    other = loopback(OK)
    server = loopback(
        answer(status="302 A", Location="/b"),
        answer(status="302 A", Location=f"http://x:y@{other.host}/c"),
    )
    other.then(answer(status="302 A", Location=server.url + "/d"), OK)
    home = f"http://{user}{server.host}/"
    assert fetch(home, token=token) == b"content"
    assert [one.target for one in server.requests] == ["/", "/b", "/d"]
    assert len({one.headers["authorization"] for one in server.requests}) == 1
    assert [one.target for one in other.requests] == ["/c", "/c"]
    assert not [one for one in other.requests if "authorization" in one.headers]


def test_another_host_is_never_given_the_token(loopback):
    server = loopback(OK)
    assert fetch(server.url, home="http://zoo.example", token="secret") == b"content"
    assert "authorization" not in server.requests[0].headers


def test_no_cookies(loopback):
    server = loopback(answer(status="302 A", Location="/b", Set_Cookie="a=b"), OK)
    assert fetch(server.url) == b"content"
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("token", ["secret\nX: y", "s\u20acret", "se\x7fcret"])
def test_a_token_that_no_header_can_hold_is_not_shown(token):
    with pytest.raises(UsageError, match="ZOOSELECT_API_TOKEN") as error:
        fetch("http://127.0.0.1", token=token)
    assert token[:2] not in error.value.message
    assert error.value.exit_code == 2


def test_the_line_break_behind_a_token_is_none_of_it(loopback):
    server = loopback(OK)
    fetch(server.url, token=" secret\n")
    assert server.requests[0].headers["authorization"] == "Bearer secret"


def test_credentials_are_sent_as_the_url_spells_them(loopback):
    server = loopback(OK)
    fetch(server.url, home=server.url.replace("//", "//u%C3%A9:%E2%82%AC@"))
    assert server.requests[0].headers["authorization"] == basic("ué", "€")
