"""Before anything of the admin API: the key, in constant time, and a stop to guessing. Pure ASGI."""

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trivium_common.errors import (
    PROBLEM_MEDIA_TYPE,
    AuthenticationRequired,
    InvalidCredential,
    RateLimited,
    TriviumError,
    render_problem,
    retry_after_header,
)
from trivium_common.observability.context import new_request_id, request_id_var
from trivium_edge.config.global_models import AdminKey

log = logging.getLogger(__name__)

KEY_HEADER = b"x-api-key"
ADMIN_KEY = "trivium.admin_key"
MAX_FAILURES = 10
FAILURES_WINDOW_S = 60.0
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class AdminGate:
    """Lets requests with a valid key through, and writes an audit line for each that may change something."""

    def __init__(
        self, app: Any, keys: Sequence[AdminKey], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._keys = tuple((key.id, bytes.fromhex(key.hash.removeprefix("sha256:"))) for key in keys)
        self._clock = clock
        self._failures: list[float] = []

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Take one request."""
        request_id_var.set(new_request_id())
        try:
            key_id = self._check(dict(scope["headers"]).get(KEY_HEADER))
        except TriviumError as error:
            await _refuse(send, error)
            return
        status = 0

        async def send_and_note(message: Mapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._app({**scope, ADMIN_KEY: key_id}, receive, send_and_note)
        if scope["method"] in _CHANGING:
            client = (scope.get("client") or ("-",))[0]
            log.warning(
                "audit",
                extra={
                    "admin_key": key_id,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "client_address": client,
                },
            )

    def _check(self, key: bytes | None) -> str:
        now = self._clock()
        self._failures = [at for at in self._failures if now - at < FAILURES_WINDOW_S]
        if key is None:
            raise AuthenticationRequired("the admin API needs a key in X-API-Key")
        digest = hashlib.sha256(key).digest()
        # Every key is compared, so that the time tells neither which one nor how near.
        found = [key_id for key_id, stored in self._keys if hmac.compare_digest(digest, stored)]
        if found:
            return found[0]
        # Only wrong keys are held back: whoever guesses cannot lock the operator out.
        if len(self._failures) >= MAX_FAILURES:
            raise RateLimited(
                "too many wrong keys", retry_after_s=self._failures[0] + FAILURES_WINDOW_S - now
            )
        self._failures.append(now)
        log.warning("a wrong key was shown to the admin API")
        raise InvalidCredential("the admin key is not known")


async def _refuse(send: Any, error: TriviumError) -> None:
    body = render_problem(error, request_id_var.get())
    headers = [
        (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if error.status == 401:
        headers.append((b"www-authenticate", b'ApiKey realm="trivium admin", header="X-API-Key"'))
    if error.retry_after_s is not None:
        headers.append((b"retry-after", retry_after_header(error.retry_after_s).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
