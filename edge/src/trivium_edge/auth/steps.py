"""The two steps of a route that ask who calls: `authenticate` (401) and `authorise` (403).

Compiled per route, so that a request runs only what its route switches on.
"""

from collections.abc import Awaitable, Callable, Mapping

from trivium_common.errors import Forbidden
from trivium_edge.auth.consumers import ApiKeys, ConsumerApp
from trivium_edge.auth.refusals import (
    API_KEY,
    BEARER,
    credential_missing,
    key_refused,
    kind_refused,
    scope_missing,
)
from trivium_edge.auth.tokens import TokenVerifier
from trivium_edge.config.models import Acl
from trivium_edge.proxy.contracts import Identity
from trivium_edge.proxy.exchange import EdgeExchange

Authenticate = Callable[[EdgeExchange], Identity | Awaitable[Identity]]
Authorise = Callable[[EdgeExchange, Identity | None], None]
AUTHORIZATION = b"authorization"
API_KEY_HEADER = b"x-api-key"


def accept_tokens(verifier: TokenVerifier, api_keys: ApiKeys, client_kind: str | None) -> Authenticate:
    """The step of a route that takes access tokens only.

    An API key on such a route is no credential, with one exception: one that shows another kind of client is
    passed on, so that `authorise` can say 403.
    """

    def authenticate(exchange: EdgeExchange) -> Identity | Awaitable[Identity]:
        found = _find_by_token(exchange, verifier)
        if found is not None:
            return found
        key = exchange.fields.get(API_KEY_HEADER)
        if key is not None and client_kind is not None:
            identity = api_keys.find(key)
            if identity is not None and identity.kind != client_kind:
                return identity
        raise credential_missing("this route needs an access token", BEARER)

    return authenticate


def accept_api_keys(api_keys: ApiKeys) -> Authenticate:
    """The step of a route that takes API keys only; a token is no credential there."""

    def authenticate(exchange: EdgeExchange) -> Identity:
        key = exchange.fields.get(API_KEY_HEADER)
        if key is None:
            raise credential_missing("this route needs an API key in X-API-Key", API_KEY)
        identity = api_keys.find(key)
        if identity is None:
            raise key_refused()
        return identity

    return authenticate


def accept_both(verifier: TokenVerifier, api_keys: ApiKeys) -> Authenticate:
    """The step of a route that takes either; a token goes first when both come."""

    def authenticate(exchange: EdgeExchange) -> Identity | Awaitable[Identity]:
        found = _find_by_token(exchange, verifier)
        if found is not None:
            return found
        key = exchange.fields.get(API_KEY_HEADER)
        if key is None:
            raise credential_missing("this route needs an access token or an API key", BEARER, API_KEY)
        identity = api_keys.find(key)
        if identity is None:
            raise key_refused()
        return identity

    return authenticate


def compile_authorise(
    client_kind: str | None, acl: Acl | None, apps: Mapping[str, ConsumerApp]
) -> Authorise | None:
    """The step that compares who calls with who may; None when everybody who is known may.

    `apps` are the consumers by name.
    """
    if acl is None:
        return None if client_kind is None else _allow_kind(client_kind)
    may_pass = frozenset(
        name
        for name, app in apps.items()
        if (not acl.consumers or name in acl.consumers) and (not acl.groups or app.groups & set(acl.groups))
    )
    scopes = frozenset(acl.scopes)

    def authorise(_: EdgeExchange, identity: Identity | None) -> None:
        if identity is None:
            raise Forbidden("nobody is known to this route")
        if client_kind is not None and identity.kind != client_kind:
            raise kind_refused(identity.kind, client_kind)
        if identity.consumer not in may_pass:
            raise Forbidden("this consumer is not in a group that may pass")
        if not scopes.issubset(identity.scopes):
            raise scope_missing(tuple(sorted(scopes)))

    return authorise


def _allow_kind(client_kind: str) -> Authorise:
    def authorise(_: EdgeExchange, identity: Identity | None) -> None:
        if identity is not None and identity.kind != client_kind:
            raise kind_refused(identity.kind, client_kind)

    return authorise


def _find_by_token(exchange: EdgeExchange, verifier: TokenVerifier) -> Identity | Awaitable[Identity] | None:
    """Who a token says is calling; None when none came.

    A connection that repeats its headers keeps the token's digest, which spares hashing it again; whether the
    token still holds is asked on every request.
    """
    client = exchange.client
    if client.credential is not None:
        known = verifier.recall(client.credential)
        if known is not None:
            return known
    authorization = exchange.fields.get(AUTHORIZATION)
    if authorization is None:
        return None
    found = verifier.verify_nowait(_read_bearer(authorization))
    if isinstance(found, Identity):
        client.credential = found.credential
    return found


def _read_bearer(authorization: bytes) -> bytes:
    if authorization[:7].lower() != b"bearer ":
        raise credential_missing("this route needs an access token in Authorization: Bearer", BEARER)
    return authorization[7:].strip(b" ")
