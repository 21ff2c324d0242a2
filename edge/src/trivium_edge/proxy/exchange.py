"""A request on its way through the edge: the connection's exchange with what the steps found out."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

from trivium_common.errors import TriviumError
from trivium_common.http import Exchange
from trivium_common.http.headers import Pair

from .contracts import Identity, Route, Verdict

if TYPE_CHECKING:
    from trivium_common.http.server_connection import ServerConnection


class Client:
    """Who is at the other end, as far as the connection and the headers tell.

    `headers` are those it was found from; `forwarded_lines` say the same to the upstream. `upward_lines` are the
    client's own headers as an upstream may see them, once a request has needed them. `credential` is for the
    authenticate step: what it worked out from these headers alone, such as a token's digest.
    """

    __slots__ = (
        "address",
        "credential",
        "forwarded_lines",
        "headers",
        "host",
        "request_id",
        "scheme",
        "upward_lines",
    )

    def __init__(
        self,
        headers: list[Pair],
        address: str,
        host: str,
        scheme: str,
        request_id: str,
        forwarded_lines: bytes,
    ) -> None:
        self.headers = headers
        self.address = address
        self.host = host
        self.scheme = scheme
        self.request_id = request_id
        self.forwarded_lines = forwarded_lines
        self.upward_lines: bytes | None = None
        self.credential: bytes | None = None


NOBODY = Client([], "", "", "http", "", b"")


class EdgeExchange(Exchange):
    """One request and its answer at the edge. Steps read it; `record` reads what came of it."""

    __slots__ = (
        "answered_by",
        "breaker_refused",
        "client",
        "error",
        "finished_at",
        "hidden_cookies",
        "hidden_parameters",
        "identity",
        "limit_lines",
        "path",
        "query",
        "request_id",
        "retries",
        "route",
        "started_at",
        "status",
        "upstream_answered_at",
        "upstream_node",
        "upstream_started_at",
        "verdicts",
    )

    def __init__(
        self,
        connection: "ServerConnection",
        method: str,
        target: bytes,
        headers: list[Pair],
        fields: dict[bytes, bytes],
    ) -> None:
        super().__init__(connection, method, target, headers, fields)
        self.request_id = ""
        self.path = ""
        self.query = b""
        self.client = NOBODY
        self.route: Route | None = None
        self.identity: Identity | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self.limit_lines = b""
        self.hidden_parameters: tuple[str, ...] = ()
        self.hidden_cookies: tuple[str, ...] = ()

        self.status = 0
        self.error: TriviumError | None = None
        self.answered_by = "edge"
        self.upstream_node = ""
        self.retries = 0
        self.breaker_refused = False
        self.started_at = 0.0
        self.upstream_started_at = 0.0
        self.upstream_answered_at = 0.0
        self.finished_at = 0.0

    @property
    def client_address(self) -> str:
        """The client's address, past trusted balancers."""
        return self.client.address

    @property
    def host(self) -> str:
        """The name in the Host header, in lower case and without the port."""
        return self.client.host

    @property
    def scheme(self) -> str:
        """What the client spoke: http or https."""
        return self.client.scheme

    @property
    def peer_address(self) -> str:
        """The address of the connection itself."""
        return self.peer

    @property
    def bytes_in(self) -> int:
        """Bytes of the request's body that were read."""
        return self.body_bytes

    def query_parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter, decoded."""
        for key, value in parse_qsl(self.query.decode("latin-1"), keep_blank_values=True, max_num_fields=100):
            if key == name:
                return value
        return None

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie."""
        for pair in self.fields.get(b"cookie", b"").decode("latin-1").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value.strip('"')
        return None

    def hide_query_parameter(self, name: str) -> None:
        """Keep a query parameter that carried a credential from the upstream."""
        self.hidden_parameters += (name,)

    def hide_cookie(self, name: str) -> None:
        """Keep a cookie that carried a credential from the upstream."""
        self.hidden_cookies += (name,)

    def upstream_query(self) -> bytes:
        """Return the query as the upstream may see it."""
        if not self.hidden_parameters:
            return self.query
        parts = self.query.split(b"&")
        return b"&".join(part for part in parts if _name_of(part) not in self.hidden_parameters)

    def upstream_cookie(self, value: bytes) -> bytes:
        """Return the Cookie header as the upstream may see it."""
        pairs = [pair.strip() for pair in value.split(b";")]
        hidden = {name.encode("latin-1") for name in self.hidden_cookies}
        return b"; ".join(pair for pair in pairs if pair.partition(b"=")[0] not in hidden)


def _name_of(part: bytes) -> str:
    return unquote_plus(part.partition(b"=")[0].decode("latin-1"))
