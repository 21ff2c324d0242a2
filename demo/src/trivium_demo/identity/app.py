"""identity: discovery, keys, and the token endpoint with three grants."""

import time
import urllib.parse

from fastapi import Request
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from trivium_demo.identity import clients
from trivium_demo.identity.accounts import Accounts, RefreshGrant, build_accounts, new_family
from trivium_demo.identity.clients import Client, authenticate_client, grant_scope
from trivium_demo.identity.errors import NO_STORE, OAuthError, oauth_error_response
from trivium_demo.identity.keys import ALGORITHM, load_signing_key, public_key_set
from trivium_demo.identity.tokens import LIFETIME_S, TokenIssuer
from trivium_demo.rest import create_rest_app, json_response
from trivium_demo.settings import Settings, StartFailure
from trivium_demo.shell import Service
from trivium_demo.storage import open_database

_FORM = "application/x-www-form-urlencoded"
_PUBLIC = {"Cache-Control": "public, max-age=300"}


class TokenAnswer(BaseModel):
    """A successful answer of the token endpoint (RFC 6749 §5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = LIFETIME_S
    scope: str
    refresh_token: str | None = None


class IdentityApi:
    """The endpoints of the identity provider."""

    def __init__(self, accounts: Accounts, issuer: TokenIssuer, key_set: bytes) -> None:
        self._accounts = accounts
        self._issuer = issuer
        self._key_set = key_set

    async def get_discovery(self, request: Request) -> Response:
        """OpenID Connect Discovery 1.0; endpoints under the name that the caller reached us by.

        In containers a browser and an edge use different names for this service; the issuer is one.
        """
        reached_by = f"{request.url.scheme}://{request.url.netloc}"
        return json_response(to_json(describe_provider(self._issuer.issuer, reached_by)))

    async def get_keys(self) -> Response:
        """The public keys (RFC 7517)."""
        return json_response(self._key_set, headers=_PUBLIC)

    async def issue_token(self, request: Request) -> Response:
        """The token endpoint (RFC 6749 §3.2)."""
        try:
            form = read_form(request.headers.get("content-type", ""), await request.body())
            client = authenticate_client(form, request.headers.get("authorization"))
            answer = self._grant(client, form)
        except OAuthError as error:
            return oauth_error_response(error)
        return json_response(answer.model_dump_json(exclude_none=True), headers=NO_STORE)

    def _grant(self, client: Client, form: dict[str, str]) -> TokenAnswer:
        grant_type = _require(form, "grant_type")
        if grant_type not in (clients.CLIENT_CREDENTIALS, clients.REFRESH_TOKEN, clients.DEVELOPMENT_LOGIN):
            raise OAuthError("unsupported_grant_type", f"there is no grant {grant_type!r} here")
        if grant_type not in client.grants:
            raise OAuthError("unauthorized_client", f"{client.id} may not use this grant")
        if grant_type == clients.CLIENT_CREDENTIALS:
            return self._grant_to_client(client, form)
        if grant_type == clients.REFRESH_TOKEN:
            return self._grant_again(client, form)
        return self._grant_to_user(client, form)

    def _grant_to_client(self, client: Client, form: dict[str, str]) -> TokenAnswer:
        # A service asks for no person's data, and gets no refresh token (RFC 6749 §4.4.3).
        service_scopes = client.scopes & clients.CLIENTS["trivium-service"].scopes
        scope = grant_scope(client, form.get("scope"), service_scopes)
        return TokenAnswer(access_token=self._issuer.sign_for_client(client.id, scope), scope=scope)

    def _grant_to_user(self, client: Client, form: dict[str, str]) -> TokenAnswer:
        username = _require(form, "username")
        scope = grant_scope(client, form.get("scope"))
        if self._accounts.find(username) is None:
            raise OAuthError("invalid_grant", f"there is no user {username!r}")
        return self._answer_for(RefreshGrant(new_family(), client.id, username, scope), scope)

    def _grant_again(self, client: Client, form: dict[str, str]) -> TokenAnswer:
        grant = self._accounts.take_refresh_token(_require(form, "refresh_token"), client.id)
        # RFC 6749 §6: at most what was granted, and the new refresh token keeps all of that.
        scope = grant_scope(client, form.get("scope"), frozenset(grant.scope.split()))
        return self._answer_for(grant, scope)

    def _answer_for(self, grant: RefreshGrant, scope: str) -> TokenAnswer:
        account = self._accounts.find(grant.username)
        if account is None:
            raise OAuthError("invalid_grant", "the user no longer exists")
        return TokenAnswer(
            access_token=self._issuer.sign_for_account(account, grant.client_id, scope),
            scope=scope,
            refresh_token=self._accounts.issue_refresh_token(grant),
        )


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """The request's parameters; an empty one counts as left out (RFC 6749 §3.2).

    Raises: OAuthError (invalid_request), for a repeated parameter too.
    """
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise OAuthError("invalid_request", f"send Content-Type: {_FORM}")
    try:
        pairs = urllib.parse.parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=50)
    except ValueError as error:
        raise OAuthError("invalid_request", "the body is not a form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is repeated")
    return form


def _require(form: dict[str, str], name: str) -> str:
    if name not in form:
        raise OAuthError("invalid_request", f"{name} is missing")
    return form[name]


def describe_provider(issuer: str, reached_by: str) -> dict[str, object]:
    """The discovery document: what works today, and no more."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{reached_by}/token",
        "jwks_uri": f"{reached_by}/jwks",
        "grant_types_supported": [
            clients.CLIENT_CREDENTIALS,
            clients.REFRESH_TOKEN,
            clients.DEVELOPMENT_LOGIN,
        ],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": clients.SCOPES,
        "claims_supported": [
            "iss",
            "sub",
            "aud",
            "azp",
            "email",
            "realm_access",
            "scope",
            "iat",
            "nbf",
            "exp",
            "jti",
        ],
    }


def create_service(settings: Settings) -> Service:
    """The identity provider on its file and key in the data directory.

    Raises: StartFailure in production, where published secrets would let anyone in.
    """
    if settings.is_production:
        raise StartFailure(
            "TRIVIUM_ENV: identity has published secrets and signs anyone in, so it refuses production; "
            "use a real OpenID provider there"
        )
    issuer = settings.identity_issuer or f"http://127.0.0.1:{settings.port}"
    db = open_database(settings.data_dir / "identity.db", build_accounts)
    key = load_signing_key(settings.data_dir)
    api = IdentityApi(
        Accounts(db, time.time),
        TokenIssuer(issuer, key, time.time),
        to_json(public_key_set(key)),
    )
    app = create_rest_app("identity")
    app.get("/.well-known/openid-configuration", response_model=dict[str, object])(api.get_discovery)
    app.get("/jwks", response_model=dict[str, object])(api.get_keys)
    app.post("/token", response_model=TokenAnswer)(api.issue_token)
    return Service(app, lambda: db.execute("SELECT 1 FROM accounts LIMIT 1").fetchone())
