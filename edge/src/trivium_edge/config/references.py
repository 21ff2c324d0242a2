"""Names that point to other parts of the configuration, and names that must be there only once.

Works on the tree, not on the models, so that these faults are told together with wrong types.
"""

from collections.abc import Iterator

from trivium_edge.config.positions import Fault, Node, spell_path
from trivium_edge.config.wording import did_you_mean, list_known


def find_reference_faults(tree: Node) -> Iterator[Fault]:
    """Unknown upstreams, kinds, groups, consumers and issuers; repeated ids, client ids and keys."""
    yield from _find_repeated(tree)
    yield from _find_unknown(tree)


def _texts(node: Node, key: str) -> Iterator[tuple[str, Node]]:
    for _, child in node.entries(key):
        if isinstance(child.value, str):
            yield child.value, child


def _find_repeated(tree: Node) -> Iterator[Fault]:
    routes: dict[str, Node] = {}
    consumers: dict[str, Node] = {}
    client_ids: dict[str, Node] = {}
    hashes: dict[str, Node] = {}
    issuers: dict[str, Node] = {}
    for index, route in tree.entries("routes"):
        yield from _once(routes, route, "id", spell_path(["routes", index, "id"]))
    for index, consumer in tree.entries("consumers"):
        yield from _once(consumers, consumer, "name", spell_path(["consumers", index, "name"]))
        for number, (_, client_id) in enumerate(_texts(consumer, "client_ids")):
            yield from _once_node(
                client_ids, client_id, spell_path(["consumers", index, "client_ids", number])
            )
        for place, api_key in consumer.entries("api_keys"):
            yield from _once(
                hashes, api_key, "hash", spell_path(["consumers", index, "api_keys", place, "hash"])
            )
    for index, issuer in (tree.child("global") or tree).entries("token_issuers"):
        yield from _once(issuers, issuer, "name", spell_path(["global", "token_issuers", index, "name"]))


def _once(seen: dict[str, Node], node: Node, key: str, setting: str) -> Iterator[Fault]:
    child = node.child(key)
    if child is not None and isinstance(child.value, str):
        yield from _once_node(seen, child, setting)


def _once_node(seen: dict[str, Node], node: Node, setting: str) -> Iterator[Fault]:
    first = seen.setdefault(str(node.value), node)
    if first is not node:
        name = "this key" if setting.endswith(".hash") else f"`{node.value}`"
        yield Fault(node.at, setting, f"{name} was given before, at {first.at.file}:{first.at.line}")


def _find_unknown(tree: Node) -> Iterator[Fault]:
    upstreams = [name for name, _ in tree.entries("upstreams") if isinstance(name, str)]
    consumers = [name for _, consumer in tree.entries("consumers") if (name := consumer.text("name"))]
    kinds = sorted({kind for _, consumer in tree.entries("consumers") if (kind := consumer.text("kind"))})
    groups = sorted(
        {group for _, consumer in tree.entries("consumers") for group, _ in _texts(consumer, "groups")}
    )
    issuers = [
        name
        for _, issuer in (tree.child("global") or tree).entries("token_issuers")
        if (name := issuer.text("name"))
    ]
    for index, route in tree.entries("routes"):
        here = spell_path(["routes", index])
        yield from _known(route.child("upstream"), upstreams, f"{here}.upstream", "upstream")
        if kinds and all(consumer.text("kind") for _, consumer in tree.entries("consumers")):
            yield from _known(
                route.child("client_kind"), kinds, f"{here}.client_kind", "kind of any consumer"
            )
        filters = route.child("filters") or route
        if (acl := filters.child("acl")) is not None:
            for place, (_, group) in enumerate(_texts(acl, "groups")):
                yield from _known(
                    group, groups, f"{here}.filters.acl.groups[{place}]", "group of any consumer"
                )
            for place, (_, consumer_name) in enumerate(_texts(acl, "consumers")):
                yield from _known(
                    consumer_name, consumers, f"{here}.filters.acl.consumers[{place}]", "consumer"
                )
        if (jwt_auth := filters.child("jwt-auth")) is not None:
            for place, (_, issuer_name) in enumerate(_texts(jwt_auth, "issuers")):
                yield from _known(
                    issuer_name, issuers, f"{here}.filters.jwt-auth.issuers[{place}]", "token issuer"
                )


def _known(node: Node | None, known: list[str], setting: str, what: str) -> Iterator[Fault]:
    if node is None or not isinstance(node.value, str) or node.value in known:
        return
    there = f", expected one of {list_known(known)}" if known else ", and there is none"
    yield Fault(node.at, setting, f"`{node.value}` is no {what}{there}{did_you_mean(node.value, known)}")
