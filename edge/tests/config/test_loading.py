"""What a good configuration becomes: defaults, units, references, includes, warnings, and its way to a worker."""

from ipaddress import ip_network
from pathlib import Path

import orjson
import pytest

from trivium_edge.__main__ import main
from trivium_edge.config.load import LoadedConfig, load_config
from trivium_edge.config.positions import ConfigInvalid
from trivium_edge.config.schema import render_schema
from trivium_edge.control.snapshot import Snapshot

SHIPPED = Path(__file__).parents[2] / "gateway.yaml"

SMALL = """\
format_version: 1
upstreams:
  web: {nodes: [{url: http://127.0.0.1:3000}]}
routes:
  - id: web
    uri: /*
    upstream: web
    filters: {limit: {rate: 1, burst: 1}}
"""


def load(folder: Path, text: str, **environment: str) -> LoadedConfig:
    path = folder / "gateway.yaml"
    path.write_text(text)
    return load_config(str(path), environment)


def test_the_shipped_file_holds_without_any_variable() -> None:
    loaded = load_config(str(SHIPPED), {})

    assert [route.id for route in loaded.config.routes] == ["web", "mobile", "iot"]
    web, mobile, iot = (loaded.config.filters_of(route) for route in loaded.config.routes)
    assert [(limit.rate, limit.burst, limit.limit_by) for limit in web.limit] == [(200, 50, "subject")]
    assert [(limit.rate, limit.burst, limit.limit_by) for limit in mobile.limit] == [(100, 20, "subject")]
    assert [(limit.rate, limit.burst, limit.limit_by) for limit in iot.limit] == [
        (50, 20, "subject"),
        (500, 100, "address"),
    ]
    timeouts = {name: upstream.timeout for name, upstream in loaded.config.upstreams.items()}
    assert (timeouts["web"].connect, timeouts["web"].send, timeouts["web"].read) == (3, 10, 30)
    assert (timeouts["mobile"].connect, timeouts["mobile"].send, timeouts["mobile"].read) == (3, 5, 15)
    assert (timeouts["iot"].connect, timeouts["iot"].send, timeouts["iot"].read) == (2, 3, 5)


def test_the_shipped_file_takes_the_variables_of_a_container() -> None:
    section = load_config(
        str(SHIPPED),
        {
            "TRIVIUM_EDGE_HOST": "0.0.0.0",
            "TRIVIUM_EDGE_PORT": "18000",
            "TRIVIUM_EDGE_WORKERS": "3",
            "TRIVIUM_EDGE_PROXY_PROTOCOL": "on",
            "TRIVIUM_EDGE_TRUSTED_PROXIES": "172.16.0.0/12, 10.0.0.0/8",
            "TRIVIUM_OIDC_ISSUER": "http://localhost:4100",
            "TRIVIUM_OIDC_DISCOVERY_URL": "http://identity:4100/.well-known/openid-configuration",
        },
    ).config.global_

    assert (section.proxy.host, section.proxy.port, section.workers) == ("0.0.0.0", 18000, 3)
    assert section.proxy_protocol is True
    assert section.trusted_proxies == (ip_network("172.16.0.0/12"), ip_network("10.0.0.0/8"))
    assert section.token_issuers[0].discovery_url == "http://identity:4100/.well-known/openid-configuration"


def test_the_shipped_file_refuses_to_run_in_production_with_development_keys() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        load_config(str(SHIPPED), {"TRIVIUM_ENV": "production"})

    assert [fault.setting for fault in refused.value.faults] == [
        "global.admin.keys[0].hash",
        "global.edge_identity.private_key",
        "consumers[2].api_keys[0].hash",
        "consumers[3].api_keys[0].hash",
    ]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("250ms", 0.25),
        ("3s", 3),
        ("1.5s", 1.5),
        ("2m", 120),
        ("1h", 3600),
        ("7", 7),
        ("0.5", 0.5),
        ("${env:WAIT}", 9),
    ],
)
def test_durations_are_seconds(tmp_path: Path, written: str, seconds: float) -> None:
    text = SMALL.replace(
        "nodes:", f'timeout: {{connect: "{written}"}}, nodes:'.replace('"7"', "7").replace('"0.5"', "0.5")
    )

    assert load(tmp_path, text, WAIT="9").config.upstreams["web"].timeout.connect == seconds


@pytest.mark.parametrize(("written", "size"), [("2MB", 2_000_000), ("512KiB", 524_288), ("77", 77), ("0", 0)])
def test_sizes_are_bytes(tmp_path: Path, written: str, size: int) -> None:
    text = SMALL.replace("    upstream: web", f"    upstream: web\n    max_body: {written}")

    assert load(tmp_path, text).config.routes[0].max_body == size


def test_a_reference_is_typed_by_the_setting_that_it_fills(tmp_path: Path) -> None:
    text = SMALL.replace(
        "upstreams:",
        'global:\n  workers: "${env:N}"\n  edge_identity: {private_key: "${env:N}"}\n  access_log: {enabled: ${env:FLAG:-off}}\nupstreams:',
    ).replace("{enabled: ${env:FLAG:-off}}", '{enabled: "${env:FLAG:-off}"}')

    section = load(tmp_path, text, N="4").config.global_

    assert section.workers == 4
    assert section.edge_identity.private_key == "4"
    assert section.access_log.enabled is False


def test_only_true_and_false_are_truth_values(tmp_path: Path) -> None:
    """The country code `no` stays a text (YAML 1.2)."""
    text = SMALL.replace("  - id: web", "  - id: no")

    assert load(tmp_path, text).config.routes[0].id == "no"


def test_a_default_serves_when_a_variable_is_unset_or_empty(tmp_path: Path) -> None:
    text = SMALL.replace("http://127.0.0.1:3000", '"${env:URL:-http://one:1}"')

    assert load(tmp_path, text).config.upstreams["web"].nodes[0].url == "http://one:1"
    assert load(tmp_path, text, URL="").config.upstreams["web"].nodes[0].url == "http://one:1"
    assert load(tmp_path, text, URL="http://two:2").config.upstreams["web"].nodes[0].url == "http://two:2"


def test_a_file_reference_is_read_beside_the_configuration_and_watched(tmp_path: Path) -> None:
    (tmp_path / "node.txt").write_text("http://three:3\n")

    loaded = load(tmp_path, SMALL.replace("http://127.0.0.1:3000", '"${file:node.txt}"'))

    assert loaded.config.upstreams["web"].nodes[0].url == "http://three:3"
    assert tmp_path / "node.txt" in loaded.files


def test_two_dollars_write_a_plain_reference(tmp_path: Path) -> None:
    text = SMALL.replace("limit: {", 'response-headers: {set: {X-Note: "$${env:HOME}"}}, limit: {')

    headers = load(tmp_path, text).config.routes[0].filters.response_headers
    assert headers is not None
    assert headers.set == {"X-Note": "${env:HOME}"}


def test_anchors_and_merge_keys_are_followed(tmp_path: Path) -> None:
    text = SMALL + "  - {id: b, uri: /b, upstream: web, filters: &f {limit: {rate: 7, burst: 7}}}\n"
    text += "  - {id: c, uri: /c, upstream: web, filters: {<<: *f, response-headers: {set: {X: y}}}}\n"

    filters = load(tmp_path, text).config.routes[2].filters

    assert filters.limit[0].rate == 7
    assert filters.response_headers is not None


def test_a_team_keeps_its_routes_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "routes.yaml").write_text(
        "upstreams:\n  shop: {nodes: [{url: http://shop:1}]}\n"
        "routes:\n  - id: shop\n    uri: /shop/*\n    upstream: shop\n"
    )
    text = SMALL.replace("format_version: 1", "format_version: 1\ninclude: [web/*.yaml]")

    loaded = load(tmp_path, text)

    assert [route.id for route in loaded.config.routes] == ["web", "shop"]
    assert loaded.place("routes", 1) == f"{tmp_path}/web/routes.yaml:4"
    assert tmp_path / "web" / "routes.yaml" in loaded.files


def test_faults_of_an_included_file_name_that_file(tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text(
        "global: {workers: 9}\nroutes:\n  - {id: web, uri: /x, upstream: gone}\nupstreams:\n  web: {nodes: []}\n"
    )

    with pytest.raises(ConfigInvalid) as refused:
        load(tmp_path, SMALL.replace("format_version: 1", "format_version: 1\ninclude: [team.yaml]"))

    team, main_file = f"{tmp_path}/team.yaml", f"{tmp_path}/gateway.yaml"
    assert [str(fault) for fault in refused.value.faults] == [
        f"{team}:1:1: global: unknown key `global`, expected one of consumers, upstreams, routes in an included file",
        f"{team}:3:10: routes[1].id: `web` was given before, at {main_file}:6",
        f"{team}:3:34: routes[1].upstream: `gone` is no upstream, expected one of web",
        f"{team}:5:3: upstreams.web: the key `web` was given before, at {main_file}:4",
    ]


def test_a_filter_of_all_routes_yields_to_a_routes_own(tmp_path: Path) -> None:
    text = SMALL + "  - {id: b, uri: /b, upstream: web}\n"
    text += "filters: {limit: {rate: 9, burst: 9}, response-headers: {set: {X-All: yes}}}\n"

    config = load(tmp_path, text).config
    own, shared = (config.filters_of(route) for route in config.routes)

    assert (own.limit[0].rate, shared.limit[0].rate) == (1, 9)
    assert own.response_headers == shared.response_headers is not None


def test_unsafe_settings_are_warnings_that_strict_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(
        SMALL.replace(
            "upstreams:",
            "global: {admin: {host: 0.0.0.0}, proxy: {host: 0.0.0.0}}\n"
            "consumers: [{name: ghost, kind: web}]\n"
            "upstreams:\n  spare: {nodes: [{url: http://127.0.0.1:1}]}",
        ).replace("burst: 1", "burst: 1, limit_by: address")
        + "  - {id: open, uri: /open, upstream: web}\n"
    )

    assert main(["check", str(path)]) == 0
    told = [line.removeprefix(f"{path}:") for line in capsys.readouterr().err.splitlines()]
    assert told == [
        "2:24: warning: global.admin.host: the admin API listens beyond this machine; publish its port nowhere",
        "3:13: warning: consumers[0]: has neither client_ids nor api_keys, so nobody can be this consumer",
        "5:10: warning: upstreams.spare: no route leads to this upstream",
        "11:22: warning: routes[0].filters.limit[0]: counts by address, and behind a balancer all clients have its "
        "address; set trusted_proxies",
        "11:22: warning: routes[0].filters.limit[0]: policy local: each of the 2 workers counts alone, so more may pass",
        "12:5: warning: routes[1]: neither authentication nor a limit: anyone may call without end",
    ]
    assert main(["check", "--strict", str(path)]) == 2


def test_a_snapshot_reaches_a_worker_as_it_left() -> None:
    loaded = load_config(str(SHIPPED), {"TRIVIUM_EDGE_TRUSTED_PROXIES": "10.0.0.0/8"})
    snapshot = Snapshot.of(loaded, 7)

    received = Snapshot.unpack(orjson.loads(orjson.dumps(snapshot.pack())))

    assert received.config == snapshot.config
    assert received.generation == 7
    assert received.places["web"].startswith(f"{SHIPPED}:")
    for sent, got in zip(snapshot.config.routes, received.config.routes, strict=True):
        assert snapshot.config.filters_of(sent) == received.config.filters_of(got)


def test_the_json_schema_knows_every_section_and_admits_references() -> None:
    schema = orjson.loads(render_schema())

    assert {"global", "consumers", "upstreams", "routes", "filters"} <= schema["properties"].keys()
    assert "jwt-auth" in schema["$defs"]["Filters"]["properties"]
    port = schema["$defs"]["ProxyEndpoint"]["properties"]["port"]
    assert {"type": "string", "pattern": r"\$\{"} in port["anyOf"]
