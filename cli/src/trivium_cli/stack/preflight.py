"""What is checked before anything starts, so that a mistake costs one line and not a screen of tracebacks."""

import fcntl
import socket
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from trivium_cli.errors import Refused
from trivium_cli.stack import processes as table
from trivium_cli.stack.layout import HOST, Layout
from trivium_cli.stack.processes import Process

REDIS_TIMEOUT_S = 3.0
_PORT_BASE_STEP = 10_000


def check_port_base(port_base: int) -> None:
    """Refuse a port base that would push a port out of the range."""
    if not 0 <= port_base <= table.MAX_PORT_BASE:
        raise Refused(f"--port-base {port_base}: must lie between 0 and {table.MAX_PORT_BASE}")


def check_ports(processes: Iterable[Process], layout: Layout) -> None:
    """Refuse ports that somebody else listens on, naming who wants them here."""
    processes = list(processes)
    taken = find_taken_ports(processes, layout.port_base)
    if not taken:
        return
    if len(taken) == 1:
        ((port, name),) = taken.items()
        listed = f"port {port} is in use (wanted by {name})"
    else:
        listed = f"ports {', '.join(f'{port} ({name})' for port, name in taken.items())} are in use"
    free_base = next(
        (
            base
            for base in range(_PORT_BASE_STEP, table.MAX_PORT_BASE, _PORT_BASE_STEP)
            if base != layout.port_base and not find_taken_ports(processes, base)
        ),
        _PORT_BASE_STEP,
    )
    store = layout.port(table.VALKEY.port)
    hint = f", or use the Redis there: REDIS_URL=redis://{HOST}:{store}" if list(taken) == [store] else ""
    raise Refused(f"{listed}: stop what runs there, or move this stack: --port-base {free_base}{hint}")


def find_taken_ports(processes: Iterable[Process], port_base: int) -> dict[int, str]:
    """The ports at `port_base` that cannot be bound, and who wants each."""
    return {
        port + port_base: process.name
        for process in processes
        for port in process.ports
        if not _can_bind(port + port_base)
    }


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def lock_data_dir(folder: Path) -> IO[str]:
    """Claim a data folder for as long as the returned file stays open.

    Raises: Refused, when another stack uses it or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise Refused(
            f"--data-dir {folder}: cannot be written ({error.strerror}); name another folder"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Refused(
            f"another `trivium up` uses {folder}: stop it, or name another folder: --data-dir"
        ) from None
    return file


def remove_ready_file(path: Path) -> None:
    """Take an old ready file away. Refused, where none could be written."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"--ready-file {path}: {error.strerror}; name another file") from error
    if not path.parent.is_dir():
        raise Refused(f"--ready-file {path}: there is no folder {path.parent}; make it, or name another file")


def check_redis_urls(urls: Mapping[str, str]) -> None:
    """Refuse a Redis URL that cannot be read or whose server does not answer PING."""
    for name, url in urls.items():
        try:
            _ping(url)
        except (OSError, ValueError) as error:
            raise Refused(
                f"{name}={_mask_password(url)}: {error}; start that Redis, correct the URL, "
                "or unset REDIS_URL to use the embedded Valkey"
            ) from error


def _ping(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(REDIS_TIMEOUT_S)
        stream.connect(parts.path)
    elif parts.scheme in ("redis", "rediss") and parts.hostname:
        stream = socket.create_connection((parts.hostname, parts.port or 6379), REDIS_TIMEOUT_S)
        if parts.scheme == "rediss":
            stream = ssl.create_default_context().wrap_socket(stream, server_hostname=parts.hostname)
    else:
        raise ValueError("is no Redis URL (expected redis://HOST:PORT, rediss:// or unix:///PATH)")
    with stream:
        if parts.password:
            words = [unquote(part) for part in (parts.username, parts.password) if part]
            _command(stream, "AUTH", *words)
        _command(stream, "PING")


def _command(stream: socket.socket, *words: str) -> None:
    encoded = [word.encode() for word in words]
    request = b"*%d\r\n" % len(encoded)
    request += b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
    stream.sendall(request)
    answer = stream.recv(512)
    if not answer.startswith(b"+"):
        raise ValueError(f"the server there answers {answer.decode(errors='replace').strip()[:80]!r}")


def _mask_password(url: str) -> str:
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@") if password else url
