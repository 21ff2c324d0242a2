"""`trivium-edge diff OLD NEW`: what a change of the configuration changes, setting by setting, with its line."""

from collections.abc import Iterator

from trivium_edge.admin.views import export_config
from trivium_edge.commands.output import EXIT_FAILED, load_or_refuse, say
from trivium_edge.config.positions import Node

# Entries of these lists are known by a name, so that an inserted route is one change and not many.
_NAMED_BY = {"routes": "id", "consumers": "name", "token_issuers": "name", "api_keys": "id", "keys": "id"}


def show_diff(old_path: str, new_path: str) -> int:
    """Print each difference; 0 when there is none, 1 otherwise (as diff does)."""
    old, new = load_or_refuse(old_path), load_or_refuse(new_path)
    lines = list(find_differences(old.tree, new.tree))
    for line in lines:
        say(line)
    return EXIT_FAILED if lines else 0


def find_differences(old: Node | None, new: Node | None, setting: str = "", key: str = "") -> Iterator[str]:
    """One line for each setting that was added (+), removed (-) or changed (~). Secrets are not shown."""
    if old is None and new is not None:
        yield f"+ {setting} = {_show(new, key)}  ({_place(new)})"
    elif new is None and old is not None:
        yield f"- {setting} = {_show(old, key)}  ({_place(old)})"
    elif old is not None and new is not None:
        before, after = _children(old, key), _children(new, key)
        if before is not None and after is not None:
            for name in [*before, *(name for name in after if name not in before)]:
                below = f"{setting}.{name}" if setting and not name.startswith("[") else f"{setting}{name}"
                yield from find_differences(before.get(name), after.get(name), below, name)
        elif old.plain() != new.plain():
            yield f"~ {setting} = {_show(old, key)} -> {_show(new, key)}  ({_place(new)})"


def _children(node: Node, key: str) -> dict[str, Node] | None:
    if isinstance(node.value, dict):
        return node.value
    if isinstance(node.value, list):
        named_by = _NAMED_BY.get(key)
        named = [(child.text(named_by) if named_by else None, child) for child in node.value]
        return {
            f"[{name if name is not None else index}]": child for index, (name, child) in enumerate(named)
        }
    return None


def _show(node: Node, key: str) -> str:
    return str(export_config(node, key))


def _place(node: Node) -> str:
    return f"{node.at.file}:{node.at.line}"
