"""The commands that ask a configuration without running it."""

from pathlib import Path

import pytest

from trivium_edge.__main__ import main

SHIPPED = Path(__file__).parents[2] / "gateway.yaml"

TESTS = """\
tests:
  - {request: "POST /api/web/graphql", route: web, upstream: web, upstream_path: /graphql, client_kind: web}
  - {request: "GET /api/web/../iot/devices/d1", route: iot, upstream_path: /devices/d1}
  - {request: "GET /api/web", status: 404}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str], list[str]]:
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err.splitlines()


def test_routes_lists_what_each_route_does(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "routes", "--config", SHIPPED)

    assert code == 0
    assert len(out) == 3
    assert out[2].startswith(
        "iot     any /api/iot/* -> iot  "
        "[key-auth, limit 50/s burst 20 by subject, limit 500/s burst 100 by address, proxy-rewrite]"
    )


def test_route_says_where_a_request_goes_and_what_it_passes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "route", "get", "http://h/api/mobile/%68ome?x=1", "--config", SHIPPED)

    assert code == 0
    assert out[1:5] == [
        "path       /api/mobile/home",
        "upstream   mobile  /home",
        "clients    mobile",
        "step       jwt-auth",
    ]


@pytest.mark.parametrize(
    ("url", "told"),
    [("/nowhere", "404 route_not_found"), ("/api/web/%2e%2e%2fx", "400 bad_request")],
)
def test_route_says_why_no_route_takes_a_request(
    capsys: pytest.CaptureFixture[str], url: str, told: str
) -> None:
    code, _, err = run(capsys, "route", "GET", url, "--config", SHIPPED)

    assert code == 1
    assert err[0].startswith(told.split(" ")[0])


def test_route_tests_pass_and_name_what_they_do_not_cover(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text(TESTS)

    assert run(capsys, "test", path, "--config", SHIPPED)[:2] == (
        0,
        ["3 tests, 0 failed, 67 % of 3 routes covered"],
    )
    code, _, err = run(capsys, "test", path, "--config", SHIPPED, "--fail-under", "100")
    assert (code, err) == (1, ["less than 100 % covered; no test takes mobile"])


def test_a_failing_route_test_names_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text(TESTS.replace("route: iot", "route: web"))

    code, _, err = run(capsys, "test", path, "--config", SHIPPED)

    assert code == 1
    assert err == [f"{path}:3:5: GET /api/web/../iot/devices/d1: expected route web, got iot"]


def test_a_broken_file_of_tests_is_refused_like_a_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text('tests:\n  - {request: "GET /x"}\n  - {request: "GET /x", rout: web}\n')

    code, _, err = run(capsys, "test", path, "--config", SHIPPED)

    assert code == 2
    assert err[0] == f"{path}:2:5: tests[0]: expects nothing; give a route or a status"
    assert "unknown key `rout`" in err[1]
    assert "did you mean route?" in err[1]


def test_diff_tells_each_changed_setting_with_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    new = tmp_path / "new.yaml"
    text = (
        SHIPPED.read_text().replace("burst: 50", "burst: 60").replace("  - id: mobile\n", "  - id: phone\n")
    )
    new.write_text(text.replace("sha256:4020", "sha256:4021"))

    code, out, _ = run(capsys, "diff", SHIPPED, new)

    line = new.read_text().splitlines().index("      limit: {rate: 200, burst: 60, limit_by: subject}") + 1
    assert code == 1
    assert f"~ routes[web].filters.limit.burst = 50 -> 60  ({new}:{line})" in out
    assert [one[:17] for one in out if "routes[" in one and "web" not in one[:14]] == [
        "- routes[mobile] ",
        "+ routes[phone] =",
    ]
    assert any("api_keys[d1-development].hash = REDACTED -> REDACTED" in one for one in out)
    assert run(capsys, "diff", SHIPPED, SHIPPED)[:2] == (0, [])
