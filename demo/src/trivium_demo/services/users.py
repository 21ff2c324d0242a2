"""users: people with addresses and preferences, and what they were notified of."""

import sqlite3
from typing import Annotated, Literal

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from typing_extensions import TypedDict

from trivium_demo.data.dice import Dice
from trivium_demo.data.people import generate_people, notifications_of, user_document
from trivium_demo.documents import Document, dump_document, fetch_document, load_document, merge_changes
from trivium_demo.ids import batch_numbers, require_number
from trivium_demo.moments import Clock, format_moment, utc_now
from trivium_demo.paging import Cursors, Query, Sort, fetch_batch, fetch_page
from trivium_demo.problems import Problem
from trivium_demo.rest import (
    DEFAULT_LIMIT,
    CursorParameter,
    Ids,
    Limit,
    Page,
    SearchText,
    create_rest_app,
    json_response,
)
from trivium_demo.settings import Settings
from trivium_demo.shell import Service
from trivium_demo.storage import open_database

_TABLES = """
CREATE TABLE users (n INTEGER PRIMARY KEY, email TEXT UNIQUE, search TEXT, doc TEXT) STRICT;
CREATE INDEX users_by_search ON users (search);
CREATE TABLE notifications (n INTEGER PRIMARY KEY, user_n INTEGER, created_at TEXT, doc TEXT) STRICT;
CREATE INDEX notifications_by_user ON notifications (user_n, created_at);
"""

Text = Annotated[str, Field(min_length=1, max_length=120)]


class Address(BaseModel):
    """Where a user lives."""

    name: str
    street: str
    city: str
    postal_code: str
    country: str


class Preferences(BaseModel):
    """How a user likes things."""

    language: str
    currency: str
    theme: str
    measurement_system: str
    notification_channel: str
    interests: list[str]


class Marketing(BaseModel):
    """What a user agreed to."""

    newsletter: bool
    partner_offers: bool
    segment: str
    acquisition_channel: str


class User(BaseModel):
    """A user with everything that the service knows."""

    id: str
    username: str
    name: str
    email: str
    avatar_url: str
    locale: str
    country: str
    created_at: str
    updated_at: str
    loyalty_tier: str
    phone: str
    address: Address
    preferences: Preferences
    marketing: Marketing


class Notification(BaseModel):
    """Something that a user was told."""

    id: str
    user_id: str
    kind: str
    title: str
    body: str
    created_at: str
    is_read: bool


_CLOSED = ConfigDict(extra="forbid")


class AddressChanges(TypedDict, total=False):
    """The members of the address that change."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way to configure a TypedDict
    name: Text
    street: Text
    city: Text
    postal_code: Text
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]


class PreferencesChanges(TypedDict, total=False):
    """The preferences that change."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    language: Annotated[str, Field(pattern="^[a-z]{2}$")]
    currency: Literal["EUR"]
    theme: Literal["light", "dark", "system"]
    measurement_system: Literal["metric", "imperial"]
    notification_channel: Literal["email", "push", "sms"]
    interests: Annotated[list[Text], Field(max_length=20)]


class MarketingChanges(TypedDict, total=False):
    """The consents that change."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    newsletter: bool
    partner_offers: bool


class UserChanges(TypedDict, total=False):
    """The members that change; what is left out stays as it is."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    name: Text
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=200)]
    phone: Annotated[str, Field(pattern=r"^\+?[0-9 ]{4,24}$")]
    locale: Annotated[str, Field(pattern="^[a-z]{2}-[A-Z]{2}$")]
    address: AddressChanges
    preferences: PreferencesChanges
    marketing: MarketingChanges


class UsersApi:
    """The endpoints of the users service."""

    def __init__(self, db: sqlite3.Connection, cursors: Cursors, clock: Clock = utc_now) -> None:
        self._db = db
        self._cursors = cursors
        self._clock = clock

    async def list_users(
        self,
        ids: Ids = None,
        q: SearchText = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: CursorParameter = None,
    ) -> Response:
        """Users by id, or a page of them; `q` looks into name, username and e-mail address."""
        if ids is not None:
            return json_response(fetch_batch(self._db, "users", batch_numbers("u", ids)))
        query = Query("users")
        if q is not None:
            query.where("instr(search, ?)", q.lower())
        return json_response(fetch_page(self._db, self._cursors, query, limit, cursor))

    async def get_user(self, user_id: str) -> Response:
        """One user."""
        return json_response(fetch_document(self._db, "users", require_number("u", user_id), user_id))

    async def change_user(self, user_id: str, changes: Annotated[UserChanges, Body()]) -> Response:
        """Change what is given and leave the rest."""
        number = require_number("u", user_id)
        user = load_document(self._db, "users", number, user_id)
        merge_changes(user, changes)
        user["country"] = user["address"]["country"]
        user["updated_at"] = format_moment(self._clock())
        document = dump_document(user)
        try:
            self._db.execute(
                "UPDATE users SET email = ?, search = ?, doc = ? WHERE n = ?",
                (user["email"], _search_text(user), document, number),
            )
        except sqlite3.IntegrityError as error:
            raise Problem(409, "conflict", "another user has this e-mail address") from error
        return json_response(document)

    async def list_notifications(
        self, user_id: str, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
    ) -> Response:
        """A user's notifications, newest first."""
        number = require_number("u", user_id)
        fetch_document(self._db, "users", number, user_id)
        query = Query("notifications", Sort("created_at", is_descending=True))
        query.where("user_n = ?", number)
        return json_response(fetch_page(self._db, self._cursors, query, limit, cursor))


def create_service(settings: Settings) -> Service:
    """The users service on its file in the data directory."""
    db = open_database(settings.data_dir / "users.db", build_users)
    api = UsersApi(db, Cursors.of(settings.data_dir))
    app = create_rest_app("users")
    app.get("/users", response_model=Page[User])(api.list_users)
    app.get("/users/{user_id}", response_model=User)(api.get_user)
    app.patch("/users/{user_id}", response_model=User)(api.change_user)
    app.get("/users/{user_id}/notifications", response_model=Page[Notification])(api.list_notifications)
    return Service(app, lambda: db.execute("SELECT 1 FROM users LIMIT 1").fetchone())


def _search_text(user: Document) -> str:
    return f"{user['name']}\n{user['username']}\n{user['email']}".lower()


def build_users(db: sqlite3.Connection) -> None:
    """Fill an empty database with the generated users."""
    for statement in _TABLES.strip().split("\n"):
        db.execute(statement)
    dice = Dice("user documents")
    documents = [user_document(person, dice) for person in generate_people()]
    db.executemany(
        "INSERT INTO users VALUES (?, ?, ?, ?)",
        (
            (n, document["email"], _search_text(document), dump_document(document))
            for n, document in enumerate(documents, 1)
        ),
    )
    notes = [note for person in generate_people() for note in notifications_of(person, dice)]
    db.executemany(
        "INSERT INTO notifications VALUES (?, ?, ?, ?)",
        (
            (n, int(str(note["user_id"])[1:]), note["created_at"], dump_document({"id": f"n{n}", **note}))
            for n, note in enumerate(notes, 1)
        ),
    )
