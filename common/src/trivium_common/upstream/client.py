"""`Upstream`: one service behind a BFF, called with typed answers.

Outermost first: deadline → bulkhead → breaker → pool. It never caches and does not retry.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from trivium_common.errors import UpstreamTimeout
from trivium_common.http.client import HttpClient
from trivium_common.http.errors import DeadlineExceeded, HttpError
from trivium_common.http.limits import Timeouts
from trivium_common.observability.context import current_request_id, traceparent_var
from trivium_common.resilience.aiobreaker_seam import MachineCircuitBreaker
from trivium_common.resilience.breaker import Breaker, BreakerOpen, BreakerPolicy, BreakerState, Outcome
from trivium_common.resilience.bulkhead import Bulkhead, BulkheadFull
from trivium_common.resilience.deadline import current_deadline
from trivium_common.upstream.outcomes import (
    NoFairChance,
    judge_error,
    judge_status,
    translate_error,
    translate_status,
)

T = TypeVar("T")
ParamValue = str | int | bool | Sequence[str] | None
Params = Mapping[str, ParamValue]

MAX_BODY_BYTES = 4 * 1024 * 1024
# A call that starts with less than this may run out of time without any fault of the upstream.
FAIR_CHANCE_S = 0.02
# The connection's own deadline fires up to 50 ms late. Below this a timer of the call's own keeps it to the point.
SHORT_BUDGET_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes | None
    deadline: float
    decode: Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    retry_after: bytes | None
    value: object


def segment(value: str) -> str:
    """`value` as exactly one segment of a path: `f"/users/{segment(user_id)}"`."""
    return quote(value, safe="") if value.strip(".") else value.replace(".", "%2E")


class Upstream:
    """One service: its connections, its breaker, its slots. Lives as long as the app.

    `timeout_s` bounds each call that names no shorter one; `max_pending` is how many may be on their way
    at once. Raises from every call: NotFound, InvalidInput, Conflict (the upstream's 404, 400/422, 409),
    UpstreamUnavailable (nothing answers, breaker open, no slot free), UpstreamTimeout, UpstreamFailed.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        timeouts: Timeouts | None = None,
        timeout_s: float = 5.0,
        breaker: BreakerPolicy | None = None,
        max_pending: int = 200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        origin, self._base_path = _split_url(url)
        self.name = name
        self._client = HttpClient(origin, timeouts=timeouts) if timeouts else HttpClient(origin)
        self._timeout_s = timeout_s
        self._clock = clock
        self._bulkhead = Bulkhead(name, max_pending)
        machine = Breaker(name, breaker, clock=clock)
        machine.listen(_log_change)
        self._machine = machine
        self._breaker = MachineCircuitBreaker(machine, judge_error=judge_error, judge_result=_judge_answer)
        self._decoders: dict[object, Callable[[bytes], object]] = {NoneType: _decode_nothing}

    @property
    def breaker_state(self) -> BreakerState:
        """What the breaker says now, for readiness and metrics."""
        return self._machine.state

    @property
    def pending(self) -> int:
        """Calls on their way now."""
        return self._bulkhead.in_flight

    async def get(
        self,
        path: str,
        *,
        type: type[T],
        params: Params | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """GET `path` decoded as `type` (a msgspec Struct); members that it does not declare are skipped."""
        return await self._call("GET", path, type, params, None, timeout_s)

    async def post(
        self,
        path: str,
        *,
        type: type[T],
        json: object,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """POST `json` (any value that msgspec encodes) and decode the answer; `type=NoneType` ignores it."""
        return await self._call("POST", path, type, None, json, timeout_s, headers)

    async def put(
        self,
        path: str,
        *,
        type: type[T],
        json: object,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """PUT `json` and decode the answer; `type=NoneType` ignores it."""
        return await self._call("PUT", path, type, None, json, timeout_s, headers)

    async def patch(
        self,
        path: str,
        *,
        type: type[T],
        json: object,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """PATCH with `json` and decode the answer; `type=NoneType` ignores it."""
        return await self._call("PATCH", path, type, None, json, timeout_s, headers)

    async def delete(self, path: str, *, type: type[T], timeout_s: float | None = None) -> T:
        """DELETE `path` and decode the answer; `type=NoneType` ignores it."""
        return await self._call("DELETE", path, type, None, None, timeout_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        type_: type[T],
        params: Params | None,
        json: object,
        timeout_s: float | None,
        more_headers: Mapping[str, str] | None = None,
    ) -> T:
        # 1. The deadline comes first: it covers waiting for everything below.
        deadline, budget_s = self._find_deadline(timeout_s)
        body = None if json is None else msgspec.json.encode(json)
        call = _Call(
            method=method,
            target=self._base_path + path + _encode_params(params),
            headers=_build_headers(budget_s, more_headers, has_body=body is not None),
            body=body,
            deadline=deadline,
            decode=self._find_decoder(type_),
        )
        try:
            # 2. A slot, 3. the breaker's leave, 4. the exchange.
            with self._bulkhead:
                answer: _Answer = await self._breaker.call_async(self._exchange, call, budget_s)
        except (
            HttpError,
            TimeoutError,
            BreakerOpen,
            BulkheadFull,
            NoFairChance,
            msgspec.DecodeError,
        ) as error:
            raise translate_error(error, self.name) from error
        if not 200 <= answer.status < 300:
            raise translate_status(answer.status, self.name, answer.retry_after)
        return answer.value  # type: ignore[return-value] # the decoder was made for T

    async def _exchange(self, call: _Call, budget_s: float) -> _Answer:
        # Retries belong here, inside the breaker's permit and round the single attempt.
        try:
            if budget_s >= SHORT_BUDGET_S:
                return await self._attempt(call)
            async with asyncio.timeout(budget_s):
                return await self._attempt(call)
        except (DeadlineExceeded, TimeoutError) as error:
            if budget_s < FAIR_CHANCE_S:
                raise NoFairChance(f"only {budget_s * 1000:.0f} ms were left") from error
            raise

    async def _attempt(self, call: _Call) -> _Answer:
        response = await self._client.request(
            call.method,
            call.target,
            headers=call.headers,
            body=call.body,
            deadline=call.deadline,
            max_body_bytes=MAX_BODY_BYTES,
        )
        is_success = 200 <= response.status < 300
        return _Answer(
            status=response.status,
            retry_after=None if is_success else response.headers.get(b"retry-after"),
            value=call.decode(response.body) if is_success else None,
        )

    def _find_deadline(self, timeout_s: float | None) -> tuple[float, float]:
        now = self._clock()
        deadline = now + (self._timeout_s if timeout_s is None else timeout_s)
        outer = current_deadline()
        if outer is not None and outer < deadline:
            deadline = outer
        if deadline <= now:
            raise UpstreamTimeout(f"{self.name}: no time was left to call it")
        return deadline, deadline - now

    def _find_decoder(self, type_: type[T]) -> Callable[[bytes], object]:
        decode = self._decoders.get(type_)
        if decode is None:
            decode = self._decoders[type_] = msgspec.json.Decoder(type_).decode
        return decode


def _split_url(url: str) -> tuple[str, str]:
    """The origin to connect to and the path that every target starts with."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return url, ""
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


def _decode_nothing(_body: bytes) -> None:
    return None


def _judge_answer(answer: object) -> Outcome:
    return judge_status(answer.status) if isinstance(answer, _Answer) else Outcome.SUCCESS


def _build_headers(
    budget_s: float, more: Mapping[str, str] | None, *, has_body: bool
) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"accept", b"application/json"),
        (b"x-request-timeout-ms", b"%d" % max(1, int(budget_s * 1000))),
    ]
    if (request_id := current_request_id()) != "-":
        headers.append((b"x-request-id", request_id.encode()))
    if (traceparent := traceparent_var.get()) is not None:
        headers.append((b"traceparent", traceparent.encode()))
    if has_body:
        headers.append((b"content-type", b"application/json"))
    if more:
        headers += [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in more.items()]
    return headers


def _encode_params(params: Params | None) -> str:
    """The query string: None left out, lists joined by commas, booleans as JSON spells them."""
    if not params:
        return ""
    pairs = [(name, _encode_value(value)) for name, value in params.items() if value is not None]
    return "?" + urlencode(pairs, safe=",") if pairs else ""


def _encode_value(value: str | int | bool | Sequence[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ",".join(value)


def _log_change(breaker: Breaker, old: BreakerState, new: BreakerState) -> None:
    log.warning("breaker changed", extra={"upstream": breaker.name, "from": str(old), "to": str(new)})
