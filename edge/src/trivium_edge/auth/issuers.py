"""The token issuers of a worker. Their keys live on over reloads that leave an issuer as it was."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from trivium_edge.auth.claims import ClaimRules
from trivium_edge.auth.fetching import fetch_document
from trivium_edge.auth.key_source import Fetch, KeySource
from trivium_edge.auth.tokens import TrustedIssuer
from trivium_edge.config.global_models import TokenIssuer


@dataclass(frozen=True, slots=True)
class _Running:
    source: KeySource
    task: asyncio.Task[None]


class IssuerSet:
    """Keeps one key source running for each configured issuer. `tasks` owns their tasks."""

    def __init__(self, tasks: asyncio.TaskGroup, fetch: Fetch = fetch_document) -> None:
        self._tasks = tasks
        self._fetch = fetch
        # By their settings: an issuer that a reload leaves as it was keeps its keys.
        self._running: dict[TokenIssuer, _Running] = {}

    @property
    def sources(self) -> dict[str, KeySource]:
        """The key sources by the issuer's configured name."""
        return {settings.name: running.source for settings, running in self._running.items()}

    def start(self, issuers: Iterable[TokenIssuer]) -> None:
        """Begin to fetch the keys of those that do not run yet."""
        for settings in issuers:
            if settings not in self._running:
                source = self._make_source(settings)
                task = self._tasks.create_task(source.run(), name=f"keys of {settings.name}")
                self._running[settings] = _Running(source, task)

    def keep_only(self, issuers: Collection[TokenIssuer]) -> None:
        """Stop all but these."""
        for settings in [settings for settings in self._running if settings not in issuers]:
            self._running.pop(settings).task.cancel()

    def trusted(self, issuers: Iterable[TokenIssuer], names: Collection[str] = ()) -> list[TrustedIssuer]:
        """What a verifier needs of those of `issuers` that are called `names`, of all of them without names."""
        return [
            _trust(settings, self._running[settings].source)
            for settings in issuers
            if not names or settings.name in names
        ]

    def _make_source(self, settings: TokenIssuer) -> KeySource:
        return KeySource(
            issuer=settings.issuer,
            fetch=self._fetch,
            algorithms=settings.algorithms,
            discovery_url=settings.discovery_url,
            jwks_url=settings.jwks_url,
            refresh_s=settings.refresh,
            keep_s=settings.keep_keys_for,
        )


def _trust(settings: TokenIssuer, source: KeySource) -> TrustedIssuer:
    rules = ClaimRules(
        issuer=settings.issuer,
        audiences=frozenset(settings.audiences),
        leeway_s=settings.leeway,
        max_lifetime_s=settings.max_lifetime,
    )
    return TrustedIssuer(
        source, rules, frozenset(settings.algorithms), frozenset(settings.token_types), settings.cache_for
    )
