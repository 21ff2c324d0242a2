"""Limits that all workers and nodes share through Redis: exact, and bounded in time when Redis is away."""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from functools import partial

from trivium_common.ratelimit.keys import bounded_key
from trivium_common.ratelimit.local import DEFAULT_MAX_KEYS, LocalLimiter, verdict_of
from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.scripts import call_form
from trivium_common.ratelimit.verdict import Verdict
from trivium_common.redis.link import ErrorReply, Reply
from trivium_common.redis.links import Links
from trivium_common.redis.wire import bulk


class WhenAway(StrEnum):
    """What a request gets while Redis cannot be asked (`fault_tolerant`)."""

    ALLOW = "allow"
    REFUSE = "refuse"
    LOCAL = "local"


class SharedLimiter:
    """One rule over many keys, counted in Redis by Redis's clock.

    A take answers within the links' bound whatever happens to Redis. `clock_us` is for tests: scripts then
    count by it instead of Redis's TIME.
    """

    def __init__(
        self,
        rule: Rule,
        links: Links,
        *,
        when_away: WhenAway = WhenAway.ALLOW,
        refuse_for_s: float = 1.0,
        clock_us: Callable[[], int] | None = None,
    ) -> None:
        self.rule = rule
        self._links = links
        self._when_away = when_away
        self._refuse_for_s = refuse_for_s
        self._clock_us = clock_us
        self._form = form = call_form(rule)
        self._stand_in = (
            LocalLimiter(rule, max_keys=DEFAULT_MAX_KEYS) if when_away is WhenAway.LOCAL else None
        )
        self._limit = rule.max_cost
        # Everything of a call but its key and its cost is the same each time.
        count = 3 + 1 + form.logs + 5
        keys = b"%d" % (1 + form.logs)
        self._by_sha = _head(count, (b"EVALSHA", form.script.sha, keys))
        self._by_text = _head(count, (b"EVAL", form.script.text, keys))
        self._tail = bulk((form.ttl_ms, form.figures))
        usual = [] if clock_us else [(what, cost) for what in (b"take", b"peek") for cost in range(1, 17)]
        self._rests = {(what, cost): bulk((b"", what, b"%d" % cost)) + self._tail for what, cost in usual}
        self.uncertain = 0
        links.load_on_connect((b"SCRIPT", b"LOAD", form.script.text))

    def take(self, key: str, cost: int = 1) -> "asyncio.Future[Verdict]":
        """Take `cost` for `key`, or say when to come back.

        The call goes out at once, with all others of this loop tick. Cancelling the future does not take the
        cost back.
        """
        return self._ask(b"take", key, cost)

    def peek(self, key: str, cost: int = 1) -> "asyncio.Future[Verdict]":
        """What `take` would answer now; nothing is taken."""
        return self._ask(b"peek", key, cost)

    def charge_nowait(self, key: str, extra: int) -> None:
        """Charge `extra` after the fact; sent and not waited for. Lost when Redis is away."""
        slot_key, body = self._body(b"charge", bounded_key(key), extra)
        settle = partial(self._settle_charge, slot_key, body)
        if not self._links.send_nowait(slot_key, self._by_sha + body, settle):
            self.uncertain += 1

    def _ask(self, what: bytes, key: str, cost: int) -> "asyncio.Future[Verdict]":
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        slot_key, body = self._body(what, bounded_key(key), cost)
        settle = partial(self._settle, future, key, cost, slot_key, body)
        if not self._links.send_nowait(slot_key, self._by_sha + body, settle):
            self._settle_uncertain(future, key, cost)
        return future

    def _body(self, what: bytes, key: str, cost: int) -> tuple[bytes, bytes]:
        """The key that chooses the server, and all of a call that follows the script."""
        form = self._form
        name = form.name(key)
        names = b"$%d\r\n%b\r\n" % (len(name), name) if not form.logs else bulk(form.keys(key))
        rest = self._rests.get((what, cost))
        if rest is None:
            now = b"" if self._clock_us is None else b"%d" % self._clock_us()
            rest = bulk((now, what, b"%d" % cost)) + self._tail
        return name, names + rest

    def _settle(
        self,
        future: "asyncio.Future[Verdict]",
        key: str,
        cost: int,
        slot_key: bytes,
        body: bytes,
        reply: Reply,
    ) -> None:
        if type(reply) is list:
            self._settle_verdict(future, reply)
            return
        if type(reply) is ErrorReply and reply.code == "NOSCRIPT":
            # Flushed, or a server that took over: sending the text loads it again.
            settle = partial(self._settle_last, future, key, cost)
            if self._links.send_nowait(slot_key, self._by_text + body, settle):
                return
        self._settle_last(future, key, cost, reply)

    def _settle_last(self, future: "asyncio.Future[Verdict]", key: str, cost: int, reply: Reply) -> None:
        if type(reply) is list:
            self._settle_verdict(future, reply)
            return
        self._settle_uncertain(future, key, cost)

    def _settle_verdict(self, future: "asyncio.Future[Verdict]", figures: list[int]) -> None:
        if not future.done():
            future.set_result(verdict_of(figures, self.rule.name))

    def _settle_uncertain(self, future: "asyncio.Future[Verdict]", key: str, cost: int) -> None:
        self.uncertain += 1
        if future.done():
            return
        if self._stand_in is not None:
            future.set_result(self._stand_in.take_nowait(key, cost)._replace(is_certain=False))
            return
        allowed = self._when_away is WhenAway.ALLOW
        retry_after_s = 0.0 if allowed else self._refuse_for_s
        remaining = self._limit if allowed else 0
        future.set_result(
            Verdict(allowed, self._limit, remaining, retry_after_s, 0.0, retry_after_s, self.rule.name, False)
        )

    def _settle_charge(self, slot_key: bytes, body: bytes, reply: Reply) -> None:
        is_unknown = type(reply) is ErrorReply and reply.code == "NOSCRIPT"
        resend = self._links.send_nowait
        if not (is_unknown and resend(slot_key, self._by_text + body, self._settle_last_charge)):
            self._settle_last_charge(reply)

    def _settle_last_charge(self, reply: Reply) -> None:
        if reply != 1:
            self.uncertain += 1


def _head(count: int, parts: tuple[bytes, ...]) -> bytes:
    return b"*%d\r\n" % count + bulk(parts)
