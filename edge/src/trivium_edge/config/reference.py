"""docs/configuration.md, written from the models: what is documented is what is read."""

from collections.abc import Iterator, Mapping
from typing import Any

from trivium_edge.config.models import GatewayConfig

_INTRODUCTION = """\
# Configuration of the edge

`gateway.yaml` says where the edge listens, who calls, where requests go and what is asked of them first.
`trivium-edge check FILE` tells everything that is wrong with one, each fault with file, line and column, and what
is legal but probably not meant (`--strict` refuses that too). `trivium-edge schema` prints a JSON Schema for
editors: put `# yaml-language-server: $schema=gateway.schema.json` into the first lines of the file.

This page is written from the code that reads the file: `trivium-edge reference > docs/configuration.md`.

## The smallest useful file

```yaml
format_version: 1
global:
  token_issuers:
    - {name: main, issuer: https://id.example.com}
consumers:
  - {name: shop, kind: web, client_ids: [shop-web]}
upstreams:
  web: {nodes: [{url: http://127.0.0.1:3000}]}
routes:
  - id: web
    uri: /api/web/*
    upstream: web
    client_kind: web
    audience: web
    filters:
      jwt-auth: {}
      limit: {rate: 200, burst: 50}
      proxy-rewrite: {regex_uri: ["^/api/web/(.*)", "/$1"]}
```

## Values

- **Durations** are `250ms`, `3s`, `1m`, `2h`, `1d`, or a number of seconds. **Sizes** are `512KiB`, `2MB`, or a number of bytes.
- Only `true` and `false` are truth values (YAML 1.2): `no` and `off` are texts.
- `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` (beside the configuration file) may stand in every value. What
  they bring is typed by its setting and never shown in a message, a log or an export. `$${` writes a plain `${`. Inside
  of `{...}` and `[...]` such a value needs quotes.
- Anchors, aliases and merge keys (`<<`) work as in YAML. A key given twice is refused.
- `include: [teams/*.yaml]` adds the consumers, upstreams and routes of further files, so that a team keeps its routes
  beside its BFF.

## Which route a request takes

Host first: the exact host, then the longest `*.domain`, then routes for every host. Then the path, segment by segment:
a literal goes before a `{field}`, a field before a prefix (`/*`), so the longest prefix wins. Then the method: a route
that lists it goes before one that takes all; `GET` includes `HEAD`. Where the best path does not take the method the
next best is tried, and 405 with `Allow` is the answer when none does. The order in the file does not matter. Two routes
for the same requests are refused. `trivium-edge route METHOD URL --config FILE` says which one a request takes.

## Whose requests a limit counts

`limit_by: subject` is the person or device; without one the consumer, without that the address. An IPv6 address counts
as its /64. `header` counts by the value of `header_name`, and by the address where the header is missing. Limits of one
route act in their order; the first that refuses ends the request. A limit whose figures stay the same keeps its counts
over a reload. `policy: local` counts in each worker alone, and `check` warns where there is more than one.

## Changing the configuration

The edge watches its files, and reads them again on SIGHUP and on `POST /reload` of the admin API. A good configuration
is in force in all workers at once, without a restart; requests in flight finish on the one they began with. A bad one
changes nothing: its first fault is in the log, in `/readyz` and in `trivium_config_reload_failures_total`. What the
supervisor holds itself ({fixed}) is read at start only; a change of it is refused until the edge is restarted.

"""


def render_reference(fixed: tuple[str, ...]) -> str:
    """The whole page. `fixed` are the global settings that only a restart changes."""
    schema = GatewayConfig.model_json_schema(by_alias=True, mode="validation")
    listed = ", ".join(f"`global.{name}`" for name in fixed)
    lines = [_INTRODUCTION.replace("{fixed}", listed)]
    lines += _render_section("gateway.yaml", schema, schema["$defs"])
    seen: set[str] = set()
    for name in _order(schema, schema["$defs"], seen):
        lines += _render_section(name, schema["$defs"][name], schema["$defs"])
    return "\n".join(lines).rstrip() + "\n"


def _order(part: Any, definitions: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    """The sections in the order in which a reader meets them."""
    for field in part.get("properties", {}).values():
        name = _section_of(field)
        if name is not None and name not in seen:
            seen.add(name)
            yield name
            yield from _order(definitions[name], definitions, seen)


def _section_of(field: Any) -> str | None:
    """The name of the section that a setting holds, directly, in a list, or in a mapping."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    inner = [
        field[name] for name in ("items", "additionalProperties") if isinstance(field.get(name), Mapping)
    ]
    for below in (*field.get("anyOf", ()), *inner):
        if (found := _section_of(below)) is not None:
            return found
    return None


def _render_section(name: str, section: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[str]:
    required = set(section.get("required", ()))
    about = str(section.get("description", "")).strip()
    lines = [f"## {_title(name)}", "", about, ""]
    if not section.get("properties"):
        return lines
    lines += ["| setting | value | default | meaning |", "|---|---|---|---|"]
    for key, field in section.get("properties", {}).items():
        default = "**required**" if key in required else _render_default(field)
        meaning = _meaning(field, definitions).replace("|", "\\|").replace("\n", " ")
        lines.append(f"| `{key}` | {_render_type(field, definitions)} | {default} | {meaning} |")
    return [*lines, ""]


def _meaning(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a setting means: its own words, else those of the section that it holds."""
    held = _section_of(field)
    return str(field.get("description") or (definitions[held]["description"] if held else ""))


def _title(name: str) -> str:
    """GatewayConfig's sections by the words that people use for them."""
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()
    return words.removesuffix(" settings")


def _render_default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    if default in (None, [], "") or isinstance(default, dict):
        return ""
    if isinstance(default, list):
        return ", ".join(f"`{entry}`" for entry in default)
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return f"`{shown}s`" if _is_duration(field) else f"`{shown}`"


def _is_quantity(field: Mapping[str, Any]) -> bool:
    """Whether a setting is a duration or a size: a number, or a text with a unit."""
    return any("s*(" in part.get("pattern", "") for part in field.get("anyOf", ()))


def _is_duration(field: Mapping[str, Any]) -> bool:
    return any("(ms|" in part.get("pattern", "") for part in field.get("anyOf", ()))


def _render_type(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _link(field)
    choices = [part for part in field.get("anyOf", ()) if part.get("type") != "null"]
    if choices:
        shown = dict.fromkeys(_render_type(part, definitions) for part in choices)
        if _is_quantity(field):
            return "duration" if _is_duration(field) else "size"
        return " or ".join(shown)
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    match field.get("type"):
        case "array":
            return f"list of {_render_type(field.get('items', {}), definitions)}"
        case "object":
            return f"name → {_render_type(field.get('additionalProperties') or {}, definitions)}"
        case "integer" | "number":
            return str(field["type"]).replace("integer", "whole number") + _render_bounds(field)
        case "boolean":
            return "`true` or `false`"
    return "text"


def _render_bounds(field: Mapping[str, Any]) -> str:
    lowest, highest = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    above = " above" if "exclusiveMinimum" in field else ""
    if lowest is not None and highest is not None:
        return f"{above} {lowest:g}–{highest:g}"
    if lowest is not None:
        return f", above {lowest:g}" if above else f", at least {lowest:g}"
    return "" if highest is None else f", at most {highest:g}"


def _link(field: Mapping[str, Any]) -> str:
    name = str(field["$ref"]).rpartition("/")[2]
    title = _title(name)
    return f"[{title}](#{title.replace(' ', '-')})"
