"""What a verified token must say before anybody is believed to be somebody.

Cases: wrong issuer, audience or authorised party; a lifetime that is over, has not begun, or is no number;
a subject or role that could forge a header line. Each is a 401 with its reason.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from trivium_edge.auth.refusals import token_refused

_LATEST = 253_402_300_799  # the year 9999: beyond it the number is an attack, not a time
# What may stand in a header line and in a comma separated list of roles.
_SUBJECT = re.compile(r"[\x21-\x7e]{1,255}")
_EMAIL = re.compile(r"[\x21-\x7e]{1,254}")
_ROLE = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,128}")
_MAX_ROLES = 100


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the claims of one issuer's tokens are held against."""

    issuer: str
    audiences: frozenset[str]
    leeway_s: float
    max_lifetime_s: float


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The claims that matter here, typed and safe for header lines."""

    subject: str
    client_id: str
    expires_at: float
    email: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]


def read_claims(claims: Mapping[str, object], rules: ClaimRules, now: float) -> TokenClaims:
    """The claims of a token whose signature holds.

    Raises: InvalidCredential, with the reason.
    """
    if claims.get("iss") != rules.issuer:
        raise token_refused("the token is of another issuer")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(name, str) and name in rules.audiences for name in named):
        raise token_refused("the token is meant for another audience")
    expires_at = _read_lifetime(claims, rules, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or _SUBJECT.fullmatch(subject) is None:
        raise token_refused("the token has no usable subject")
    return TokenClaims(
        subject=subject,
        client_id=_read_client_id(claims),
        expires_at=expires_at,
        email=_read_email(claims),
        roles=_read_roles(claims),
        scopes=_read_scopes(claims),
    )


def _read_time(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise token_refused(f"the claim {name} is no number")
    if not math.isfinite(value) or not 0 <= value <= _LATEST:
        raise token_refused(f"the claim {name} is no time")
    return float(value)


def _read_lifetime(claims: Mapping[str, object], rules: ClaimRules, now: float) -> float:
    expires_at = _read_time(claims, "exp")
    issued_at = _read_time(claims, "iat")
    not_before = _read_time(claims, "nbf")
    if expires_at is None:
        raise token_refused("the token has no expiry")
    if expires_at + rules.leeway_s <= now:
        raise token_refused("the token has expired")
    if issued_at is not None and issued_at > now + rules.leeway_s:
        raise token_refused("the token was issued in the future")
    if not_before is not None and not_before > now + rules.leeway_s:
        raise token_refused("the token is not valid yet")
    if expires_at - (issued_at if issued_at is not None else now) > rules.max_lifetime_s:
        raise token_refused("the token lives longer than tokens may")
    return expires_at


def _read_client_id(claims: Mapping[str, object]) -> str:
    """`azp` (OpenID Connect) or `client_id` (RFC 9068 §2.2); both must agree where both are there."""
    named = {claims[name] for name in ("azp", "client_id") if isinstance(claims.get(name), str)}
    if len(named) != 1:
        raise token_refused("the token does not say which client it was issued to")
    return str(named.pop())


def _read_email(claims: Mapping[str, object]) -> str:
    email = claims.get("email")
    return email if isinstance(email, str) and _EMAIL.fullmatch(email) else ""


def _read_roles(claims: Mapping[str, object]) -> tuple[str, ...]:
    """realm_access.roles without those that could pass for two, or for a line of their own."""
    realm = claims.get("realm_access")
    roles = realm.get("roles") if isinstance(realm, dict) else None
    if not isinstance(roles, list):
        return ()
    return tuple(role for role in roles[:_MAX_ROLES] if isinstance(role, str) and _ROLE.fullmatch(role))


def _read_scopes(claims: Mapping[str, object]) -> tuple[str, ...]:
    scope = claims.get("scope")
    return tuple(scope.split()) if isinstance(scope, str) else ()
