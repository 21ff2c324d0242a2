"""The keys of one token issuer: fetched, kept, fetched again. Fails closed: no keys, no tokens.

One task owns all fetching. A request that meets an unknown kid asks it for one fetch and waits; however many
ask, there is one fetch in a cool-down. While the provider is away the last good keys serve, for a bounded time.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

import orjson
from joserfc.jwk import Key

from trivium_edge.auth.key_policy import UnusableKeySet, read_key_set

log = logging.getLogger(__name__)

COOL_DOWN_S = 5.0
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0
WELL_KNOWN = "/.well-known/openid-configuration"


class FetchFailed(Exception):
    """A document could not be fetched; the message says which and why."""


Fetch = Callable[[str], Awaitable[bytes]]


class KeySource:
    """The keys of one issuer. `fetch(url)` brings a document or raises FetchFailed."""

    def __init__(
        self,
        *,
        issuer: str,
        fetch: Fetch,
        algorithms: Collection[str],
        discovery_url: str | None = None,
        jwks_url: str | None = None,
        refresh_s: float = 300.0,
        keep_s: float = 86_400.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self.keys: Mapping[str, Key] = {}
        self.problem: str | None = "the keys have not been fetched yet"
        self.fetches = 0
        self._fetch = fetch
        self._algorithms = algorithms
        self._discovery_url = discovery_url or issuer.rstrip("/") + WELL_KNOWN
        self._configured_jwks_url = jwks_url
        self._jwks_url = jwks_url
        self._refresh_s = refresh_s
        self._keep_s = keep_s
        self._clock = clock
        self._fetched_at = 0.0
        self._tried_at = float("-inf")
        self._is_fetching = False
        self._wanted = asyncio.Event()
        self._next: asyncio.Future[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether tokens of this issuer can be verified at all."""
        return bool(self.keys)

    async def run(self) -> None:
        """Fetch now and for ever: at intervals, sooner after a failure or when asked. Ends by cancellation."""
        retry_s = FIRST_RETRY_S
        while True:
            is_fresh = await self.fetch_once()
            retry_s = FIRST_RETRY_S if is_fresh else min(retry_s * 2, LAST_RETRY_S)
            # Many workers must not fetch in step.
            pause_s = self._refresh_s * random.uniform(0.8, 1.0) if is_fresh else retry_s  # noqa: S311
            self._wanted.clear()
            try:
                async with asyncio.timeout(pause_s):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def fetch_once(self) -> bool:
        """Fetch the keys; whether that worked. A failure keeps what is there, as long as it may be kept."""
        self._is_fetching = True
        self.fetches += 1
        try:
            self.keys = await self._fetch_keys()
            self._fetched_at = self._clock()
            if self.problem is not None:
                log.info("signing keys fetched", extra={"issuer": self.issuer, "keys": len(self.keys)})
            self.problem = None
        except (FetchFailed, UnusableKeySet) as error:
            self._jwks_url = self._configured_jwks_url
            if self.problem != str(error):
                log.warning(
                    "signing keys cannot be fetched", extra={"issuer": self.issuer, "detail": str(error)}
                )
            self.problem = str(error)
            self._drop_stale()
        finally:
            self._is_fetching = False
            self._tried_at = self._clock()
            if self._next is not None and not self._next.done():
                self._next.set_result(None)
            self._next = None
        return self.problem is None

    async def wait_refreshed(self) -> None:
        """Ask for one fetch and wait for its end; during the cool-down return at once.

        Safe to cancel: the fetch goes on for the others.
        """
        if not self._is_fetching and self._clock() - self._tried_at < COOL_DOWN_S:
            return
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        self._wanted.set()
        await asyncio.shield(self._next)

    async def _fetch_keys(self) -> Mapping[str, Key]:
        if self._jwks_url is None:
            self._jwks_url = _read_jwks_url(await self._fetch(self._discovery_url), self.issuer)
        return read_key_set(await self._fetch(self._jwks_url), self._algorithms)

    def _drop_stale(self) -> None:
        if self.keys and self._clock() - self._fetched_at > self._keep_s:
            log.error("the last good signing keys are too old and dropped", extra={"issuer": self.issuer})
            self.keys = {}


def _read_jwks_url(document: bytes, issuer: str) -> str:
    """The jwks_uri of a provider's metadata (OpenID Connect Discovery 1.0 §4.3: the issuer must match)."""
    try:
        metadata = orjson.loads(document)
        found, url = metadata["issuer"], metadata["jwks_uri"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise FetchFailed("the discovery document lacks issuer or jwks_uri") from error
    if found != issuer:
        raise FetchFailed(f"the discovery document is of the issuer {found!r}, expected {issuer!r}")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise FetchFailed("the discovery document's jwks_uri is no http URL")
    return url
