"""Files in the data directory that are made once, whoever starts first."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold `path`'s lock: of several processes that come at once, one goes on and the others wait for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(path.name + ".lock"), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_or_create_secret(path: Path, create: Callable[[], bytes]) -> bytes:
    """The content of `path`, made by `create` if it is not there yet; readable by its owner only (0600)."""
    with exclusive(path):
        if not path.exists():
            # mkstemp gives mode 0600; the rename makes the file appear complete or not at all.
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(create())
            os.replace(temporary, path)
        return path.read_bytes()
