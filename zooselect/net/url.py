"""Addresses of servers: checked once, and shown without the secrets they may carry."""

from __future__ import annotations

import hashlib
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from zooselect.errors import UsageError

#: What tells two servers apart: (scheme, host, port).
Origin = tuple[str, str, int]

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192


class Address(NamedTuple):
    """An http or https URL, taken apart.

    Attributes:
        url: the URL without credentials and fragment.
        origin: scheme, host and port.
        credentials: user and password that stood in it; None without.
    """

    url: str
    origin: Origin
    credentials: tuple[str, str] | None = None

    @property
    def shown(self) -> str:
        """The URL for people: without its query, which may be a signature."""
        return self.url.partition("?")[0]

    @property
    def key(self) -> str:
        """What stands for the URL where answers are kept: its query only as a digest."""
        place, mark, query = self.url.partition("?")
        digest = hashlib.sha256(query.encode()).hexdigest()[:16] if query else ""
        return place.rstrip("/") + mark + digest

    @property
    def host(self) -> str:
        """The host, with the port where it is not the scheme's own."""
        scheme, host, port = self.origin
        name = f"[{host}]" if ":" in host else host
        return name if port == _PORTS[scheme] else f"{name}:{port}"

    def below(self, path: str) -> Address:
        """Return the address of a path below this one; any query stays at the end."""
        parts = urlsplit(self.url)
        joined = parts.path.rstrip("/") + "/" + path.lstrip("/")
        return self._replace(url=urlunsplit(parts._replace(path=joined)))

    def above(self) -> Address:
        """Return the address of the folder this one's path is in; any query stays."""
        parts = urlsplit(self.url)
        folder = parts.path.rpartition("/")[0]
        return self._replace(url=urlunsplit(parts._replace(path=folder)))

    def redirected(self, location: str) -> Address:
        """Return the address a `Location` names, seen from here; credentials in it are dropped.

        Raises:
            ValueError: it is no http or https URL; the message says why.
        """
        return parse(urljoin(self.url, location.strip()))._replace(credentials=None)


def parse(text: str) -> Address:
    """Take an http or https URL apart.

    Raises:
        ValueError: it is none; the message says why.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("it holds a character no URL has")
    parts = urlsplit(text)
    if parts.scheme not in _PORTS:
        said = f"begins with {parts.scheme}:" if parts.scheme else "names no scheme"
        raise ValueError(f"it {said}, not http: or https:")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        # Its own message repeats what may be half of a password.
        raise ValueError("its port is no number from 0 to 65535") from None
    if not host:
        raise ValueError("it names no host")
    user, at, place = parts.netloc.rpartition("@")
    credentials = None
    if at:
        name, _, password = user.partition(":")
        credentials = (unquote(name), unquote(password))
    return Address(
        urlunsplit(parts._replace(netloc=place, fragment="")),
        (parts.scheme, host, _PORTS[parts.scheme] if port is None else port),
        credentials,
    )


def parse_configured(text: str, name: str) -> Address:
    """Take apart a URL that the user configured under a name.

    Raises:
        UsageError: it is no http or https URL.
    """
    try:
        return parse(text)
    except ValueError as error:
        # Neither credentials nor a query, which may be a signature.
        shown = text.rpartition("@")[2].partition("?")[0][:80]
        raise UsageError(
            f"{name} {shown!a} is not a URL of a server: {error}",
            hint="write http://host[:port][/path] or https://…",
        ) from error
