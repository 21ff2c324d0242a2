"""The process: what it says at start, how it ends, and what it leaves on disk."""

import hashlib
import json
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from trivium_demo.identity import accounts
from trivium_demo.services import devices, inventory, orders, products, reviews, telemetry, users
from trivium_demo.storage import open_database

STOP_BOUND_S = 10

# Whoever changes generated data on purpose raises DATA_VERSION in storage.py and writes the new digests here.
DIGESTS: dict[Callable[[sqlite3.Connection], None], str] = {
    users.build_users: "9dc83beb216f145b",
    products.build_products: "2565696193b49a5f",
    orders.build_orders: "22dfe6e67e0b0cbe",
    devices.build_devices: "ac065e76bccfcd66",
    telemetry.build_readings: "8e3d27296bc81a43",
    reviews.build_reviews: "d42c3530a814c963",
    inventory.build_inventory: "791471995709d30d",
    accounts.build_accounts: "a299dff514ec1f77",
}


def _digest(db: sqlite3.Connection) -> str:
    tables = [
        row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    ]
    found = hashlib.sha256()
    for table in tables:
        for row in db.execute(f"SELECT * FROM {table}"):
            found.update(repr(row).encode())
    return found.hexdigest()[:16]


@pytest.mark.parametrize("build", DIGESTS, ids=lambda build: build.__name__)
def test_data_are_the_same_on_every_machine(build: Callable[[sqlite3.Connection], None]) -> None:
    db = sqlite3.connect(":memory:")
    build(db)
    assert _digest(db) == DIGESTS[build]
    db.close()


def _refusal(process: Any) -> list[str]:
    """What a process that does not start says; it must end with code 2."""
    _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    return str(told).splitlines()


def test_port_in_use_is_one_line(start_upstream: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (line,) = _refusal(start_upstream("users", tmp_path, TRIVIUM_PORT=str(port)))
    assert f"127.0.0.1:{port}" in line
    assert line.startswith("TRIVIUM_PORT: ")


def test_each_wrong_setting_is_one_line(start_upstream: Any, tmp_path: Path) -> None:
    lines = _refusal(start_upstream("users", tmp_path, TRIVIUM_PORT="http", TRIVIUM_ENV="prod"))
    assert sorted(line.partition(":")[0] for line in lines) == ["TRIVIUM_ENV", "TRIVIUM_PORT"]


def test_data_directory_that_cannot_be_made_is_one_line(start_upstream: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (line,) = _refusal(start_upstream("devices", tmp_path / "file" / "below"))
    assert line.startswith("TRIVIUM_DATA_DIR: ")


def test_unknown_name_lists_the_known(start_upstream: Any, tmp_path: Path) -> None:
    (line,) = _refusal(start_upstream("payments", tmp_path))
    assert "inventory" in line


def test_identity_refuses_production(start_upstream: Any, tmp_path: Path) -> None:
    (line,) = _refusal(start_upstream("identity", tmp_path, TRIVIUM_ENV="production"))
    assert line.startswith("TRIVIUM_ENV: ")


def test_production_has_no_control(start_upstream: Any, wait_port: Any, tmp_path: Path) -> None:
    port = wait_port(start_upstream("devices", tmp_path, TRIVIUM_ENV="production"))
    assert httpx2.get(f"http://127.0.0.1:{port}/_control").status_code == 404


def test_sigterm_ends_a_hanging_request(start_upstream: Any, wait_port: Any, tmp_path: Path) -> None:
    """A request that would hang for ever does not hold up the end, and the exit code is 0."""
    process = start_upstream("devices", tmp_path)
    url = f"http://127.0.0.1:{wait_port(process)}"
    httpx2.post(f"{url}/_control", json={"hang": True})
    with socket.create_connection(
        ("127.0.0.1", int(url.rpartition(":")[2])), timeout=STOP_BOUND_S
    ) as hanging:
        hanging.sendall(b"GET /devices/d1 HTTP/1.1\r\nHost: x\r\n\r\n")
        # The probe comes after the hanging request in the event loop: it is under way by then.
        assert httpx2.get(f"{url}/livez").status_code == 200
        started_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=STOP_BOUND_S)
        assert time.monotonic() - started_s < STOP_BOUND_S
        assert process.returncode == 0
        while hanging.recv(1000):
            pass
    assert "Traceback" not in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_while_starting_ends_quietly(
    start_upstream: Any, tmp_path: Path, number: signal.Signals
) -> None:
    """A build that is broken off leaves no database behind, only the file that the next build replaces."""
    process = start_upstream("orders", tmp_path)
    partial = tmp_path / "orders.db.new"
    bound_s = time.monotonic() + STOP_BOUND_S
    while not partial.exists():
        assert time.monotonic() < bound_s
    process.send_signal(number)
    _, told = process.communicate(timeout=STOP_BOUND_S)
    assert (process.returncode, told) == (0, "")
    assert not (tmp_path / "orders.db").exists()


def test_writes_outlive_a_restart(start_upstream: Any, wait_port: Any, tmp_path: Path) -> None:
    process = start_upstream("devices", tmp_path)
    page = httpx2.patch(f"http://127.0.0.1:{wait_port(process)}/devices/d9", json={"name": "Attic"})
    cursor_before = httpx2.get(str(page.url.copy_with(path="/devices", query=b"limit=1"))).json()[
        "next_cursor"
    ]
    process.kill()
    process.communicate()
    url = f"http://127.0.0.1:{wait_port(start_upstream('devices', tmp_path))}"
    assert httpx2.get(f"{url}/devices/d9").json()["name"] == "Attic"
    assert httpx2.get(f"{url}/devices", params={"limit": 1, "cursor": cursor_before}).status_code == 200


def test_requests_are_logged_when_asked(start_upstream: Any, wait_port: Any, tmp_path: Path) -> None:
    process = start_upstream("devices", tmp_path, TRIVIUM_LOG_REQUESTS="1")
    url = f"http://127.0.0.1:{wait_port(process)}"
    httpx2.get(f"{url}/devices/d1", headers={"X-Request-ID": "seen-1"})
    process.terminate()
    _, told = process.communicate(timeout=STOP_BOUND_S)
    (line,) = [event for event in map(json.loads, told.splitlines()) if event["message"] == "request"]
    assert (line["method"], line["path"], line["status"], line["request_id"]) == (
        "GET",
        "/devices/d1",
        200,
        "seen-1",
    )
    assert line["service"] == "devices"


def test_two_that_start_at_once_share_one_build(tmp_path: Path) -> None:
    """The second waits for the first and builds nothing."""
    builds: list[int] = []

    def build(db: sqlite3.Connection) -> None:
        builds.append(threading.get_ident())
        db.execute("CREATE TABLE t (n INTEGER)")

    threads = [
        threading.Thread(target=lambda: open_database(tmp_path / "x.db", build).close()) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


def test_file_of_another_version_or_none_at_all_is_built_again(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"not a database, and long enough to be looked at" * 10)
    open_database(path, lambda db: db.execute("CREATE TABLE old (n INTEGER)") and None).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=999")
    db.close()
    db = open_database(path, lambda db: db.execute("CREATE TABLE new (n INTEGER)") and None)
    assert [row[0] for row in db.execute("SELECT name FROM sqlite_schema")] == ["new"]
    db.close()


def test_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(db: sqlite3.Connection) -> None:
        raise RuntimeError("no data today")

    with pytest.raises(RuntimeError):
        open_database(tmp_path / "x.db", fail)
    assert not (tmp_path / "x.db").exists()
