"""Refusals of the token endpoint (RFC 6749 §5.2)."""

from pydantic_core import to_json
from starlette.responses import Response

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(Exception):
    """A refusal; `is_basic` when the client tried HTTP Basic, which obliges to a challenge."""

    def __init__(self, code: str, description: str, *, is_basic: bool = False) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.is_basic = is_basic


def oauth_error_response(error: OAuthError) -> Response:
    """The error as an answer: 401 for a client that is not known, 400 for the rest."""
    headers = dict(NO_STORE)
    if error.is_basic:
        headers["WWW-Authenticate"] = 'Basic realm="trivium-identity", charset="UTF-8"'
    return Response(
        to_json({"error": error.code, "error_description": error.description}),
        status_code=401 if error.code == "invalid_client" else 400,
        media_type="application/json",
        headers=headers,
    )
