"""Where a client connects to: an origin parsed once, and how to open a connection to it."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote, urlsplit

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)


@dataclass(frozen=True, slots=True)
class Origin:
    """One peer: `http://host:port`, `https://host:port` or `unix:///path/to/socket`."""

    url: str
    host: str
    port: int
    is_tls: bool
    socket_path: str | None
    host_header: bytes

    @classmethod
    def parse(cls, url: str) -> "Origin":
        """Read an origin; a path other than "/" is refused, since it would be ignored.

        Raises: ValueError that names what is wrong.
        """
        parts = urlsplit(url)
        if parts.scheme == "unix":
            path = unquote(parts.path)
            if not path.startswith("/"):
                raise ValueError(f"{url!r}: expected unix:///path/to/socket")
            return cls(url, "localhost", 0, is_tls=False, socket_path=path, host_header=b"localhost")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r}: expected http://host:port, https://host:port or unix:///path")
        if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"{url!r}: an origin has no path, query or user")
        is_tls = parts.scheme == "https"
        default_port = 443 if is_tls else 80
        port = parts.port or default_port
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        host_header = (name if port == default_port else f"{name}:{port}").encode(
            "idna" if not name.isascii() else "ascii"
        )
        return cls(url, parts.hostname, port, is_tls=is_tls, socket_path=None, host_header=host_header)

    async def open_connection(
        self, make_protocol: Callable[[], _Protocol], tls: ssl.SSLContext | None
    ) -> _Protocol:
        """Open one connection. The name is looked up each time, so that a changed address is followed.

        Raises: OSError or ssl.SSLError as the platform reports them.
        """
        loop = asyncio.get_running_loop()
        if self.socket_path is not None:
            _, protocol = await loop.create_unix_connection(make_protocol, self.socket_path)
            return protocol
        context = (tls or ssl.create_default_context()) if self.is_tls else None
        _, protocol = await loop.create_connection(
            make_protocol,
            self.host,
            self.port,
            ssl=context,
            server_hostname=self.host if self.is_tls else None,
        )
        return protocol
