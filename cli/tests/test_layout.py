"""Each process is told where the others are, and the table keeps to the ports of the design."""

from pathlib import Path

from trivium_cli.stack.layout import Layout, build_command, build_environment, read_redis_urls
from trivium_cli.stack.processes import BY_NAME, PROCESSES


def test_ports_are_those_of_the_documentation() -> None:
    ports = {process.name: process.ports for process in PROCESSES}
    assert ports == {
        "valkey": (6379,),
        "identity": (4100,),
        "web": (3000,),
        "mobile": (3001,),
        "iot": (3002,),
        "edge": (8000, 8001, 8100, 9091),
        "users": (4001,),
        "products": (4002,),
        "orders": (4003,),
        "devices": (4004,),
        "telemetry": (4005,),
        "reviews": (4006,),
        "inventory": (4007,),
    }


def test_port_base_moves_every_address(tmp_path: Path) -> None:
    """No address of a moved stack points into the one beside it."""
    layout = Layout(tmp_path, tmp_path, 10_000)
    environment = build_environment(layout, {"PATH": "/bin"})
    moved = {name: value for name, value in environment.items() if "://" in value or name.endswith("_PORT")}
    assert moved["TRIVIUM_USERS_URL"] == "http://127.0.0.1:14001"
    assert moved["TRIVIUM_OIDC_DISCOVERY_URL"] == "http://127.0.0.1:14100/.well-known/openid-configuration"
    assert moved["TRIVIUM_EDGE_ADMIN_PORT"] == "18001"
    assert moved["REDIS_STREAM_URL"] == "redis://127.0.0.1:16379/0"
    ports = [int(value.rsplit(":", 1)[-1].split("/")[0]) for value in moved.values()]
    assert min(ports) >= 10_000
    assert environment["PATH"] == "/bin"


def test_redis_urls_are_taken_by_role_and_the_rest_is_embedded(tmp_path: Path) -> None:
    """REDIS_URL covers all three roles; without it the embedded store takes those that are missing."""
    shared = read_redis_urls({"REDIS_URL": "redis://r:1/0", "REDIS_CACHE_URL": "redis://c:2/0"})
    assert shared == {
        "REDIS_CACHE_URL": "redis://c:2/0",
        "REDIS_STATE_URL": "redis://r:1/0",
        "REDIS_STREAM_URL": "redis://r:1/0",
    }
    assert not Layout(tmp_path, tmp_path, 0, shared).needs_store
    partly = Layout(tmp_path, tmp_path, 0, read_redis_urls({"REDIS_CACHE_URL": "redis://c:2/0"}))
    environment = build_environment(partly, {})
    assert partly.needs_store
    assert environment["REDIS_CACHE_URL"] == "redis://c:2/0"
    assert environment["REDIS_STATE_URL"] == "redis://127.0.0.1:6379/0"


def test_edge_is_started_with_the_configuration_of_the_checkout(tmp_path: Path) -> None:
    command = build_command(BY_NAME["edge"], Layout(tmp_path, tmp_path))
    assert command[1:] == ["-m", "trivium_edge", "run", "--config", f"{tmp_path}/edge/gateway.yaml"]
