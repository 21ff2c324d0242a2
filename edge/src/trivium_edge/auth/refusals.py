"""The ways in which a credential is refused, with the challenge that RFC 9110 §11.6.1 asks for."""

from trivium_common.errors import AuthenticationRequired, Forbidden, InvalidCredential, WrongClientKind

BEARER = 'Bearer realm="trivium"'
API_KEY = 'ApiKey realm="trivium", header="X-API-Key"'
# The proxy sends this extension as the header and keeps it out of the document.
CHALLENGE = "www_authenticate"


def credential_missing(detail: str, *challenges: str) -> AuthenticationRequired:
    """401: nothing came that this route takes."""
    return AuthenticationRequired(detail, extensions={CHALLENGE: ", ".join(challenges)})


def token_refused(reason: str) -> InvalidCredential:
    """401: a token came and does not hold (RFC 6750 §3.1). `reason` must be safe for a header: no quotes."""
    challenge = f'{BEARER}, error="invalid_token", error_description="{reason}"'
    return InvalidCredential(reason, extensions={CHALLENGE: challenge})


def key_refused() -> InvalidCredential:
    """401: an API key came and is not known."""
    return InvalidCredential("the API key is not known", extensions={CHALLENGE: API_KEY})


def kind_refused(found: str, wanted: str) -> WrongClientKind:
    """403: the caller is known, and another kind of client."""
    return WrongClientKind(f"this route serves {wanted} clients, and the credential is of a {found} client")


def scope_missing(scopes: tuple[str, ...]) -> Forbidden:
    """403: the token lacks a scope (RFC 6750 §3.1)."""
    challenge = f'{BEARER}, error="insufficient_scope", scope="{" ".join(scopes)}"'
    return Forbidden(f"the token lacks the scope {' '.join(scopes)}", extensions={CHALLENGE: challenge})
