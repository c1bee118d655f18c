"""`zooselect serve`: what it says before it serves, and when it cannot."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.serve.zoos import BASE, model, write


@pytest.fixture
def zoo(tmp_path):
    """A mirror of one model."""
    write(tmp_path / "zoo", model(BASE + "base-none"))
    return tmp_path / "zoo"


@pytest.fixture
def listening():
    """An address of this machine that is taken."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def told(done, code):
    """The one line of an error; there is nothing else but a hint."""
    assert (done.code, done.out) == (code, "")
    error, *rest = done.err.splitlines()
    assert error.startswith("error: ")
    assert all(line.startswith("hint: ") for line in rest)
    assert len(rest) <= 1
    return error


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_port_is_taken(cli, zoo, listening):
    for options in ((), ("--workers", "2"), ("-q",)):
        error = told(cli("serve", zoo, "--port", listening, *options), 7)
        assert f"cannot listen on 127.0.0.1:{listening}: Address already in use" in error
    if socket.gethostbyname("localhost") == "127.0.0.1":
        told(cli("serve", zoo, "--port", listening, "--host", "localhost"), 7)


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("host", ["192.0.2.1", "a" * 300, "a..b", "a\x00b"])
def test_hosts_that_are_not_ours(cli, zoo, host):
    assert "cannot listen on" in told(cli("serve", zoo, "--host", host), 7)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may take any port")
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_port_that_is_not_for_everyone(cli, zoo):
    told(cli("serve", zoo, "--port", "1"), 7)


def test_no_mirror(cli, zoo, tmp_path):
    assert "no mirror in" in told(cli("serve", tmp_path / "none"), 7)
    assert "no mirror in" in told(cli("serve", tmp_path), 7)
    (zoo / "catalog.json").write_text("{")
    told(cli("serve", zoo), 6)


@pytest.mark.parametrize("package", ["graphql", "httptools", "starlette", "uvicorn"])
def test_the_extra_is_missing(cli, zoo, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    done = cli("serve", zoo)
    assert f"serving needs the package {package}" in told(done, 2)
    assert "pip install 'zooselect[serve]'" in done.err


@pytest.mark.parametrize(
    "url",
    ["", "zoo", "ftp://zoo", "http://", "http:///path", "//zoo", "http://zoo?x=1", "http://zoo#x",
     "http://zoo /a", "http://zoo\r\nx", "http://[", "http://zoo:x", "http://zoo:99999",
     "http://zo\u00f6", "http://zoo/\x1b"],
)  # fmt: skip
def test_base_urls_that_are_none(cli, zoo, url):
    error = told(cli("serve", zoo, "--base-url", url), 2)
    assert error.isascii()
    assert error.isprintable()


@pytest.mark.parametrize("options", [("--port", "0"), ("--port", "65536"), ("--workers", "0"), ()])
def test_usage(cli, zoo, options):
    assert cli("serve", *([zoo] if options else []), *options).code == 2


def test_help(cli):
    assert "--base-url" in cli("serve", "--help").out


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("quiet", [True, False])
def test_it_says_what_old_clients_need(zoo, quiet):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "zooselect", "serve", str(zoo), "--port", str(port)]
    command += ["-q"] if quiet else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode in (0, 130)
    address = f"export SPARSEZOO_API_URL=http://127.0.0.1:{port}"
    lines = err.decode().splitlines()
    assert out == b""
    if quiet:
        assert lines in ([], ["error: interrupted"])
    else:
        assert lines[0] == f"serving {zoo}; old clients: {address}"
