"""The SQLite file of one service: built once from generated data, then kept with whatever was written to it."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trivium_demo.files import exclusive

log = logging.getLogger(__name__)

# Raise it when generated data or tables change: an older file is then built again, and writes to it are lost.
DATA_VERSION = 2


def open_database(path: Path, build: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """Open `path`, building it first where it is missing or of another version.

    The build goes to a temporary file that is renamed when complete, under a lock: neither a crash nor a second
    process leaves half a file behind.
    """
    with exclusive(path):
        if _version_of(path) != DATA_VERSION:
            _build_file(path, build)
    return _connect(path)


def _version_of(path: Path) -> int:
    if not path.exists():
        return 0
    db = sqlite3.connect(path)
    try:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError:
        log.warning("%s is not a database, building it again", path)
        return 0
    finally:
        db.close()
    return version


def _build_file(path: Path, build: Callable[[sqlite3.Connection], None]) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    db = sqlite3.connect(temporary, isolation_level=None)
    # Durability while building is worth nothing: an interrupted build is thrown away.
    db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536")
    try:
        with transaction(db):
            build(db)
            db.execute(f"PRAGMA user_version={DATA_VERSION}")
    finally:
        db.close()
    for leftover in (path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        leftover.unlink(missing_ok=True)
    temporary.replace(path)


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit: statements are their own transactions unless `transaction` spans several.
    db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA busy_timeout=2000")
    db.execute("PRAGMA cache_size=-16384")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what happens inside as one, or undo it when it raises. Must not span an await."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
