"""The life of the edge: start, reload, a worker killed, an issuer away, drain, end."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest


def test_a_killed_worker_is_replaced_and_nobody_notices(starter: Any, wait_until: Any) -> None:
    """A96: new connections meet the other worker, and what the dead one counted is kept."""
    origin = starter.origin()
    edge = starter.start(starter.configure(origin))
    wait_until(lambda: edge.ready()[0] == 200)
    name = 'trivium_requests_total{consumer_kind="none",method="GET",route="open",status="200"}'
    assert {edge.get("/open/x").status_code for _ in range(20)} == {200}
    # Workers report every second: wait until what follows can only grow.
    wait_until(lambda: edge.metrics().get(name) == 20)
    victim = edge.workers()[0]

    os.kill(victim, signal.SIGKILL)
    statuses = {edge.get("/open/x").status_code for _ in range(30)}

    assert statuses == {200}
    wait_until(lambda: victim not in edge.workers() and len(edge.workers()) == 2)
    wait_until(lambda: edge.ready()[1]["checks"]["workers"] == {"serving": 2, "configured": 2, "restarts": 1})
    wait_until(lambda: edge.metrics()[name] == 50)
    assert edge.metrics()["trivium_worker_restarts_total"] == 1
    assert edge.lines("a worker died and is started again")[0]["exit_code"] == -signal.SIGKILL


def add_route(text: str) -> str:
    return text + "  - {id: new, uri: /new, upstream: bff, filters: {limit: {rate: 9, burst: 9}}}\n"


def test_a_changed_file_is_in_force_without_a_restart(starter: Any, wait_until: Any) -> None:
    origin = starter.origin()
    edge = starter.start(starter.configure(origin))
    workers = edge.workers()
    assert edge.get("/new").status_code == 404

    starter.configure(origin, add_route)

    wait_until(
        lambda: {edge.get("/new").status_code for _ in range(6)} == {200}, "the new route in both workers"
    )
    assert edge.workers() == workers
    assert edge.metrics()["trivium_config_generation"] == 2


def test_a_bad_file_changes_nothing_and_says_why(starter: Any, wait_until: Any) -> None:
    """A93."""
    origin = starter.origin()
    edge = starter.start(starter.configure(origin))
    wait_until(lambda: edge.ready()[0] == 200)

    starter.configure(origin, lambda text: text.replace("uri: /open/*", "uri: open"))

    wait_until(lambda: edge.ready()[1]["checks"]["configuration"]["problem"], "the refusal")
    status, document = edge.ready()
    line = edge.config.read_text().splitlines().index("    uri: open") + 1
    place = f"{edge.config}:{line}:10: routes[5].uri: expected a path that begins with /"
    assert (status, document["status"]) == (200, "degraded")
    assert document["checks"]["configuration"]["problem"] == place
    assert edge.lines("the configuration is refused, the one before stays in force")[0]["detail"] == place
    assert edge.metrics()["trivium_config_reload_failures_total"] == 1
    assert edge.get("/open/x").status_code == 200

    starter.configure(origin, add_route)
    wait_until(lambda: edge.ready()[1].get("status") == "ready", "the good file")


def test_sighup_reads_the_file_again(starter: Any, wait_until: Any) -> None:
    """Also what `${env:}` and the watch cannot see, such as a changed file behind a link."""
    origin = starter.origin()
    config = starter.configure(
        origin,
        lambda text: text.replace("rate: 0.5", "rate: ${file:rate.txt}").replace(
            "{rate: ${file:rate.txt}", '{rate: "${file:rate.txt}"'
        ),
    )
    (config.parent / "rate.txt").write_text("1\n")
    edge = starter.start(config)

    edge.process.send_signal(signal.SIGHUP)
    (config.parent / "rate.txt").write_text("nonsense\n")
    edge.process.send_signal(signal.SIGHUP)

    wait_until(lambda: edge.ready()[1]["checks"]["configuration"]["problem"])
    problem = edge.ready()[1]["checks"]["configuration"]["problem"]
    assert problem.endswith("found a value from ${file:rate.txt}, expected a number")


def test_the_admin_api_reloads_through_the_same_checks(starter: Any, wait_until: Any) -> None:
    edge = starter.start(starter.configure(starter.origin()))
    wait_until(lambda: admin_answers(edge))
    edge.config.write_text(edge.config.read_text().replace("workers: ${env:WORKERS:-2}", "workers: 3"))

    answer = edge.admin("POST", "/reload")

    assert answer.status_code == 422
    assert "global.workers: cannot change while the edge runs" in answer.json()["detail"]


def admin_answers(edge: Any) -> bool:
    try:
        return bool(edge.admin("GET", "/workers").status_code == 200)
    except httpx.TransportError:
        return False


def test_reloads_under_load_fail_no_request(starter: Any, wait_until: Any) -> None:
    """A94."""
    origin = starter.origin()
    edge = starter.start(starter.configure(origin))
    statuses: list[int] = []
    is_over = threading.Event()

    def call() -> None:
        with httpx.Client(base_url=edge.url, trust_env=False, timeout=30) as client:
            while not is_over.is_set():
                statuses.append(client.get("/open/x").status_code)

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    try:
        for number in range(6):
            starter.configure(origin, add_route if number % 2 == 0 else str)
            edge.process.send_signal(signal.SIGHUP)
            wait_until(lambda wanted=number + 2: edge.metrics()["trivium_config_generation"] == wanted)
            answered = len(statuses)
            wait_until(lambda more=answered + 3: len(statuses) >= more, "requests on the new table")
    finally:
        is_over.set()
        for caller in callers:
            caller.join()

    assert set(statuses) == {200}


def test_without_its_issuer_the_edge_serves_closed_and_recovers(
    starter: Any, wait_until: Any, free_port: int, device_key: str
) -> None:
    """A39."""
    edge = starter.start(starter.configure(f"http://127.0.0.1:{free_port}"))
    origin_of_tokens = starter.origin()
    origin_of_tokens.url = f"http://127.0.0.1:{free_port}"
    token = origin_of_tokens.token()

    status, document = edge.ready()
    assert (status, document["status"]) == (503, "unavailable")
    assert "cannot connect" in document["checks"]["issuers"]["main"]["problem"]
    assert edge.get("/api/web/x").status_code == 401
    refused = edge.get("/api/web/x", authorization=f"Bearer {token}")
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    # A device needs no issuer: its request goes on to the BFF, which is away here too.
    assert edge.get("/api/iot/x", x_api_key=device_key).json()["code"] == "upstream_unavailable"

    issuer = starter.origin(free_port)
    issuer.key = origin_of_tokens.key

    wait_until(lambda: edge.ready()[0] == 200, "readiness")
    wait_until(lambda: edge.get("/api/web/x", authorization=f"Bearer {token}").status_code == 200)


def test_sigterm_lets_requests_finish_and_ends_with_0(starter: Any, wait_until: Any) -> None:
    """A95."""
    origin = starter.origin()
    edge = starter.start(starter.configure(origin))
    answers: list[httpx.Response] = []
    caller = threading.Thread(target=lambda: answers.append(edge.get("/open/wait")))
    caller.start()
    assert origin.entered.wait(30)

    edge.process.send_signal(signal.SIGTERM)
    wait_until(lambda: edge.ready()[1].get("status") == "draining", "readiness off")
    wait_until(lambda: refuses(edge.ports["proxy"]), "the port closed")
    origin.release.set()
    caller.join()

    assert answers[0].status_code == 200
    assert edge.process.wait(30) == 0
    assert edge.lines("stopped")[0]["requests_cut"] == 0
    assert edge.workers() == []


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_workers_do_not_outlive_a_killed_supervisor(starter: Any, wait_until: Any) -> None:
    edge = starter.start(starter.configure(starter.origin()))
    workers = edge.workers()

    edge.process.kill()
    edge.process.wait()

    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers to end")


def test_a_reader_of_the_log_that_hangs_holds_nothing_up(starter: Any, wait_until: Any) -> None:
    """A97: what cannot be written is dropped and counted."""
    origin = starter.origin()
    config = starter.configure(
        origin, lambda text: text.replace("global:\n", "global:\n  access_log: {buffer: 8KiB}\n")
    )
    edge = starter.start(config, read_output=False)

    with httpx.Client(base_url=edge.url, trust_env=False, timeout=30) as client:
        statuses = {client.get(f"/open/{'x' * 400}").status_code for _ in range(300)}

    assert statuses == {200}
    wait_until(lambda: edge.metrics()["trivium_access_log_dropped_total"] > 0)


def run_edge(config: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trivium_edge", "run", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def test_a_port_in_use_is_one_line_that_says_what_to_do(starter: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = starter.configure(
            "http://127.0.0.1:1", lambda text: text.replace("proxy: {port: 0}", f"proxy: {{port: {port}}}")
        )

        ended = run_edge(config)

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"global.proxy: 127.0.0.1:{port} is in use; stop what listens there, or set another port "
        "(TRIVIUM_EDGE_PORT in the shipped file)"
    ]


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"TRIVIUM_LOG": "xml"}, "TRIVIUM_LOG: found 'xml', expected json or text"),
        ({"WORKERS": "0"}, ":3:12: global.workers: found a value from ${env:WORKERS}, expected at least 1"),
    ],
)
def test_what_prevents_the_start_is_one_line_and_exit_code_2(
    starter: Any, environment: dict[str, str], line: str
) -> None:
    ended = run_edge(starter.configure("http://127.0.0.1:1"), **environment)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.strip().endswith(line)


def test_a_missing_key_file_is_one_line(starter: Any) -> None:
    config = starter.configure(
        "http://127.0.0.1:1",
        lambda text: text.replace("global:\n", "global:\n  edge_identity: {private_key: /nowhere/key.jwk}\n"),
    )

    ended = run_edge(config)

    assert ended.returncode == 2
    assert ended.stderr.startswith("TRIVIUM_EDGE_PRIVATE_KEY: /nowhere/key.jwk is no readable Ed25519 key")
    assert len(ended.stderr.splitlines()) == 1
