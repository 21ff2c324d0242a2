"""The gate for app versions (426), and what tells old apps that a screen will go (`Deprecation`, `Sunset`)."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from trivium_common.app.health import HEALTH_PATHS
from trivium_common.errors import BadRequest, CallerFault

VERSION_HEADER = b"x-app-version"
# How many (screen, version) pairs are counted apart; the rest is counted together.
MAX_COUNTED = 500
_FORM = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){0,2}", re.ASCII)

Version = tuple[int, ...]
log = logging.getLogger(__name__)


class AppTooOld(CallerFault):
    """The app has to be updated; `minimum_version` says to what."""

    code = "app_too_old"
    status = 426
    title = "This version of the app is no longer served"


def parse_version(text: str) -> Version:
    """`"3.2"` as (3, 2, 0). Raises: ValueError."""
    if not _FORM.fullmatch(text):
        raise ValueError("expected a version such as 3.2 or 3.2.1")
    numbers = [int(number) for number in text.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


class VersionGate:
    """Pure ASGI: refuses apps whose X-App-Version is below `minimum`; without the header nobody is refused."""

    def __init__(self, app: ASGIApp, *, minimum: str) -> None:
        self._app = app
        self._minimum_text = minimum
        self._minimum = parse_version(minimum)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. Raises: AppTooOld, BadRequest."""
        if scope["type"] == "http" and scope["path"] not in HEALTH_PATHS:
            for name, value in scope["headers"]:
                if name == VERSION_HEADER:
                    self._check(value.decode("latin-1"))
        await self._app(scope, receive, send)

    def _check(self, text: str) -> None:
        try:
            version = parse_version(text)
        except ValueError as error:
            raise BadRequest(f"X-App-Version: {error}") from error
        if version < self._minimum:
            raise AppTooOld(
                f"version {text} is older than {self._minimum_text}: update the app",
                extensions={"minimum_version": self._minimum_text, "app_version": text},
            )


@dataclass(frozen=True, slots=True)
class Retirement:
    """When a screen became deprecated, when it ends, and where to read what to use instead. Times are UTC."""

    deprecated_at: datetime
    ends_at: datetime
    link: str

    def headers(self) -> dict[str, str]:
        """`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and the link to read."""
        return {
            "Deprecation": f"@{int(self.deprecated_at.timestamp())}",
            "Sunset": format_datetime(self.ends_at.astimezone(UTC), usegmt=True),
            "Link": f'<{self.link}>; rel="deprecation"',
        }


class RetirementReport:
    """Marks the answers of retiring screens, and counts which app versions still call them."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def mark(self, request: Request, response: Response, screen: str, retirement: Retirement) -> Response:
        """`response` with the headers of `retirement`, counted for the app that asked."""
        response.headers.update(retirement.headers())
        version = request.headers.get("x-app-version", "")
        key = (screen, version if _FORM.fullmatch(version) else "unknown")
        if key not in self._counts:
            key = key if len(self._counts) < MAX_COUNTED else (screen, "other")
            log.info("retiring screen called", extra={"screen": key[0], "app_version": key[1]})
        self._counts[key] += 1
        return response

    def rows(self) -> Sequence[tuple[str, str, int]]:
        """Screen, version, calls: most calls first."""
        return [(screen, version, count) for (screen, version), count in self._counts.most_common()]
