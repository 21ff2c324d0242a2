"""Who can sign in, and the refresh tokens that are out: the identity provider's database."""

import hashlib
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from trivium_demo.data.people import generate_people
from trivium_demo.identity.errors import OAuthError
from trivium_demo.storage import transaction

REFRESH_LIFETIME_S = 30 * 86_400

_TABLES = """
CREATE TABLE accounts (n INTEGER PRIMARY KEY, username TEXT UNIQUE, name TEXT, email TEXT, roles TEXT) STRICT;
CREATE TABLE refresh_tokens (digest TEXT PRIMARY KEY, family TEXT, client_id TEXT, username TEXT, scope TEXT, expires_at INTEGER, is_used INTEGER) STRICT;
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
"""
_ADMINISTRATORS = frozenset({"ada"})


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who can sign in; `subject` is the user's id in the users service."""

    subject: str
    username: str
    email: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """What a refresh token stands for. All tokens that descend from one login are a family."""

    family: str
    client_id: str
    username: str
    scope: str


class Accounts:
    """Finds accounts; issues refresh tokens and takes each of them once."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._db = db
        self._clock = clock

    def find(self, username: str) -> Account | None:
        """The account of this name."""
        row = self._db.execute(
            "SELECT n, username, email, roles FROM accounts WHERE username = ?", (username,)
        ).fetchone()
        return None if row is None else Account(f"u{row[0]}", row[1], row[2], tuple(row[3].split()))

    def issue_refresh_token(self, grant: RefreshGrant) -> str:
        """A new refresh token; only its digest is stored."""
        token = secrets.token_urlsafe(32)
        expires_at = int(self._clock()) + REFRESH_LIFETIME_S
        self._db.execute(
            "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, ?, ?, 0)",
            (_digest(token), grant.family, grant.client_id, grant.username, grant.scope, expires_at),
        )
        return token

    def take_refresh_token(self, token: str, client_id: str) -> RefreshGrant:
        """What the token stands for; it is used up. A second use ends its whole family: one of the two was a thief.

        Raises: OAuthError (invalid_grant).
        """
        with transaction(self._db):
            row = self._db.execute(
                "SELECT family, client_id, username, scope, expires_at, is_used FROM refresh_tokens WHERE digest = ?",
                (_digest(token),),
            ).fetchone()
            is_known = row is not None and row[1] == client_id and row[4] > self._clock()
            if is_known and row[5]:
                self._db.execute("DELETE FROM refresh_tokens WHERE family = ?", (row[0],))
            elif is_known:
                self._db.execute("UPDATE refresh_tokens SET is_used = 1 WHERE digest = ?", (_digest(token),))
                return RefreshGrant(*row[:4])
        raise OAuthError("invalid_grant", "the refresh token is unknown, expired, used or another client's")


def new_family() -> str:
    """The name of a new family of refresh tokens."""
    return secrets.token_hex(16)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def build_accounts(db: sqlite3.Connection) -> None:
    """Fill an empty database with an account for each generated user."""
    for statement in _TABLES.strip().split("\n"):
        db.execute(statement)
    db.executemany(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?)",
        (
            (
                person.number,
                person.username,
                person.name,
                person.email,
                "user admin" if person.username in _ADMINISTRATORS else "user",
            )
            for person in generate_people()
        ),
    )
