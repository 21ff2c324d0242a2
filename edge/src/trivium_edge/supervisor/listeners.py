"""The sockets that clients connect to. Workers inherit them, so that a worker's death loses no connection.

(With SO_REUSEPORT each worker has a queue of its own, and the connections in a dead worker's queue are lost.)
"""

import errno
import socket

from trivium_edge.config.global_models import Endpoint


class CannotListen(Exception):
    """An address cannot be bound; the message is one line that says what to do."""


def bind(name: str, endpoint: Endpoint, *, backlog: int = 128) -> socket.socket:
    """A listening socket for the endpoint called `name` in the configuration's global section.

    Raises: CannotListen.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise CannotListen(
            f"global.{name}.host: {endpoint.host} is no address of this machine: {error}"
        ) from error
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise CannotListen(_advise(name, endpoint, error)) from error
    return sock


def _advise(name: str, endpoint: Endpoint, error: OSError) -> str:
    where = f"global.{name}: {endpoint.host}:{endpoint.port}"
    variable = "TRIVIUM_EDGE_PORT" if name == "proxy" else f"TRIVIUM_EDGE_{name.upper()}_PORT"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use; stop what listens there, or set another port ({variable} in the shipped file)"
    if error.errno == errno.EACCES:
        return f"{where} needs rights that this user lacks; set a port of 1024 or above ({variable})"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where} is no address of this machine; set global.{name}.host to one, or to 0.0.0.0"
    return f"{where} cannot be bound: {error.strerror}"
