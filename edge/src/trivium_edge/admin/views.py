"""What the admin API shows of the configuration. Secrets and what `${...}` resolved to are never part of it."""

from typing import Any

from trivium_edge.config.models import GatewayConfig
from trivium_edge.config.positions import Node

_SECRET = frozenset({"hash", "key", "secret", "password"})


def export_config(tree: Node, key: str = "") -> object:
    """The configuration as it is written: `${...}` by its name, secrets cut out."""
    if isinstance(tree.value, dict):
        return {name: export_config(child, name) for name, child in tree.value.items()}
    if isinstance(tree.value, list):
        return [export_config(child, key) for child in tree.value]
    if tree.references:
        return " ".join(tree.references)
    return "REDACTED" if key in _SECRET and tree.value else tree.value


def describe_upstreams(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each upstream with its nodes, and of each node the state in every worker."""
    upstreams: dict[str, dict[str, dict[str, Any]]] = {}
    for report in reports:
        for name, upstream in report["upstreams"].items():
            for node in upstream["nodes"]:
                shown = upstreams.setdefault(name, {}).setdefault(
                    node["url"], {"url": node["url"], "weight": node["weight"], "workers": []}
                )
                state = {key: value for key, value in node.items() if key not in ("url", "weight")}
                shown["workers"].append({"worker": report["worker"], **state})
    return [{"name": name, "nodes": list(nodes.values())} for name, nodes in upstreams.items()]


def describe_consumers(config: GatewayConfig) -> list[dict[str, Any]]:
    """All consumers without the hashes of their keys."""
    return [
        {
            "name": consumer.name,
            "kind": consumer.kind,
            "groups": consumer.groups,
            "client_ids": consumer.client_ids,
            "api_keys": [{"id": key.id, "subject": key.subject} for key in consumer.api_keys],
        }
        for consumer in config.consumers
    ]
