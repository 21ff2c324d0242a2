"""The Lua form of each algorithm: one script for the kinds of a rule's windows, and how to call it."""

import hashlib
import struct
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from trivium_common.ratelimit.rules import Rule

_PREFIX = "trivium:limit"
# Redis drops a key within seconds of its state being worthless.
_TTL_SLACK_MS = 1000


@cache
def _part(name: str) -> str:
    return files("trivium_common.ratelimit").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and its SHA-1, by which Redis knows it once loaded."""

    text: bytes
    sha: bytes


@cache
def script_of(kinds: tuple[str, ...]) -> Script:
    """The script for windows of these kinds: only the algorithms it needs, so that calling it stays cheap."""
    windows = "local windows = { " + ", ".join(f"algorithms.{kind}" for kind in kinds) + " }"
    parts = [_part("prelude"), *map(_part, sorted(set(kinds))), windows, _part("driver")]
    text = "\n".join(parts).encode()
    return Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest().encode())


@dataclass(frozen=True, slots=True)
class CallForm:
    """How calls for one rule look; all that does not change from call to call is made once."""

    script: Script
    prefix: bytes
    logs: int
    ttl_ms: bytes
    figures: bytes

    def name(self, key: str) -> bytes:
        """The Redis key of `key`'s packed states."""
        return self.prefix + key.encode("utf-8", "surrogatepass") + b"}"

    def keys(self, key: str) -> list[bytes]:
        """All Redis keys of `key`: under one hash tag, so that a Cluster keeps them together."""
        name = self.name(key)
        return [name, *(name + b":%d" % n for n in range(self.logs))]


def call_form(rule: Rule) -> CallForm:
    """The call form of `rule`.

    The prefix carries a digest of the figures: when they change, counting starts anew rather than
    reading a state that was written for other figures.
    """
    kinds = tuple(window.kind for window in rule.windows)
    logs = kinds.count("sliding_log")
    described = repr([(w.kind, w.limit, w.max_debt, w.figures) for w in rule.windows])
    digest = hashlib.blake2b(described.encode(), digest_size=4).hexdigest()
    return CallForm(
        script=script_of(kinds),
        prefix=f"{_PREFIX}:{{{rule.name}:{digest}:".encode(),
        logs=logs,
        ttl_ms=b"%d" % (rule.horizon_us // 1000 + _TTL_SLACK_MS),
        figures=b"".join(struct.pack("<4q", w.limit, w.max_debt, *w.figures) for w in rule.windows),
    )
