"""The admin API: behind a key, reading in every mode, writing nowhere in file mode (A99)."""

from typing import Any

import pytest


@pytest.mark.parametrize("key", [None, "", "wrong", "trv_dev_admin_5e0c7b61a94fd239"])
@pytest.mark.parametrize("path", ["/routes", "/openapi.json", "/nowhere"])
def test_nothing_is_answered_without_the_key(edge: Any, key: str | None, path: str) -> None:
    answer = edge.admin("GET", path, key)

    assert answer.status_code in (401, 429)
    assert answer.headers["content-type"] == "application/problem+json"


def test_guessing_is_held_back_and_the_operator_is_not(edge: Any) -> None:
    statuses = [edge.admin("GET", "/routes", f"guess-{number}").status_code for number in range(15)]

    assert statuses[-1] == 429
    assert edge.admin("GET", "/routes").status_code == 200


def test_routes_name_the_line_that_configures_them(edge: Any) -> None:
    routes = {route["id"]: route for route in edge.admin("GET", "/routes").json()["items"]}

    line = edge.config.read_text().splitlines().index("  - id: web") + 1
    assert routes["web"]["configured_at"] == f"{edge.config}:{line}"
    assert routes["web"]["filters"]["limit"] == [{"rate": 1000.0, "burst": 1000}]
    assert edge.admin("GET", "/routes/iot").json()["client_kind"] == "iot"
    assert edge.admin("GET", "/routes/none").status_code == 404


def test_a_route_can_be_asked_for_by_url(edge: Any) -> None:
    found = edge.admin("GET", "/match", params={"url": "http://h/api/x/../web/%75sers?x=1"}).json()

    assert (found["path"], found["route"]["id"]) == ("/api/web/users", "web")
    assert edge.admin("GET", "/match", params={"url": "/none"}).status_code == 404
    assert edge.admin("GET", "/match", params={"url": "/scarce/x", "method": "PUT"}).status_code == 405


def test_the_exported_configuration_holds_no_secret(edge: Any) -> None:
    answer = edge.admin("GET", "/config")

    config = answer.json()["config"]
    assert config["global"]["workers"] == "${env:WORKERS}"
    assert config["global"]["admin"]["keys"][0]["hash"] == "REDACTED"
    assert "sha256:" not in answer.text
    assert "sha256:" not in edge.admin("GET", "/consumers").text


def test_upstreams_show_the_state_in_each_worker(edge: Any) -> None:
    upstreams = {one["name"]: one for one in edge.admin("GET", "/upstreams").json()["items"]}

    workers = upstreams["bff"]["nodes"][0]["workers"]
    assert sorted(one["worker"] for one in workers) == [0, 1, 2, 3]
    assert {one["breaker"] for one in workers} == {"closed"}


def test_an_operator_opens_and_closes_a_breaker_in_all_workers(edge: Any, wait_until: Any) -> None:
    opened = edge.admin("POST", "/upstreams/bff/breaker", json={"state": "open", "wait_s": 60})
    assert opened.status_code == 200
    refused = edge.get("/open/x")
    assert refused.status_code == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert edge.metrics()[f'trivium_breaker_state{{node="{node_of(edge)}",upstream="bff"}}'] == 2

    assert edge.admin("POST", "/upstreams/bff/breaker", json={"state": "closed"}).status_code == 200
    assert {edge.get("/open/x").status_code for _ in range(12)} == {200}
    audit = wait_until(lambda: edge.lines("audit"))
    assert (audit[0]["admin_key"], audit[0]["path"]) == ("test", "/upstreams/bff/breaker")


def node_of(edge: Any) -> str:
    upstreams = {one["name"]: one for one in edge.admin("GET", "/upstreams").json()["items"]}
    return str(upstreams["bff"]["nodes"][0]["url"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/upstreams/none/breaker", {"state": "open"}, 404),
        ("/upstreams/bff/breaker", {"state": "ajar"}, 422),
        ("/upstreams/bff/breaker", {"state": "open", "wait_s": -1}, 422),
        ("/upstreams/bff/breaker", {"state": "open", "node": "http://none:1"}, 422),
    ],
)
def test_what_cannot_be_done_is_refused(edge: Any, path: str, body: dict[str, object], status: int) -> None:
    answer = edge.admin("POST", path, json=body)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/routes", "/routes/web", "/upstreams/bff", "/consumers/web-app", "/config"]
)
def test_in_file_mode_writes_answer_409(edge: Any, method: str, path: str) -> None:
    answer = edge.admin(method, path)

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_the_api_describes_itself(edge: Any) -> None:
    paths = edge.admin("GET", "/openapi.json").json()["paths"]

    assert {
        "/config",
        "/routes",
        "/upstreams",
        "/consumers",
        "/workers",
        "/decisions",
        "/reload",
    } <= paths.keys()
