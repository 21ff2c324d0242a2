"""`trivium explain`: ask an edge's admin API why a request went as it did, and say it so that a person can read it."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from trivium_cli.errors import Refused

ADMIN_TIMEOUT_S = 5.0


def fetch_decision(admin: str, key: str, request_id: str) -> dict[str, Any]:
    """The decision that an edge kept for `request_id`.

    Raises: Refused, when the admin API is away, does not take the key, or kept nothing.
    """
    address = urlsplit(admin)
    connection = HTTPConnection(address.hostname or "", address.port or 80, timeout=ADMIN_TIMEOUT_S)
    try:
        connection.request("GET", f"/decisions/{quote(request_id, safe='')}", headers={"X-API-Key": key})
        answer = connection.getresponse()
        document = json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        raise Refused(f"no admin API answers at {admin} ({error}); name another with --admin") from error
    finally:
        connection.close()
    if answer.status == 401:
        raise Refused(f"the admin API at {admin} does not take this key; set TRIVIUM_ADMIN_KEY or --key")
    if answer.status != 200:
        raise Refused(f"{request_id}: {document.get('detail') or document.get('title')}")
    return dict(document)


def tell_decision(decision: Mapping[str, Any]) -> str:
    """The decision in lines: outcome, request, route, checks, limits, target, times."""
    request, route, ms = decision["request"], decision["route"], decision["ms"]
    lines = [
        f"{decision['request_id']}: {decision['outcome']}",
        f"  request   {request['method']} {request['path']} from {request['client_address']}",
    ]
    if route is not None:
        lines += [f"  route     {route['id']} ({route['configured_at']})", f"            {route['why']}"]
    if (identity := decision["identity"]) is not None:
        lines.append(f"  caller    {identity['subject']} through {identity['consumer']} ({identity['kind']})")
    lines += [
        f"  check     {check['step']}: {check['check']}: {check['verdict']} ({check['configured_at']})"
        for check in decision["checks"]
    ]
    lines += [_tell_limit(limit) for limit in decision["limits"]]
    if (target := decision["target"]) is not None:
        node = target["node"] or "no node"
        lines.append(f"  target    {target['upstream']}: {node}; breaker {target['breaker']}")
    spans = ", ".join(
        f"{name.replace('_', ' ')} {value} ms" for name, value in ms.items() if value is not None
    )
    return "\n".join([*lines, f"  time      {spans}"])


def _tell_limit(limit: Mapping[str, Any]) -> str:
    if limit["allowed"]:
        told = f"allowed, {limit['remaining']} of {limit['limit']} left"
    else:
        told = f"refused, next allowed in {limit['retry_after_s']} s"
    return f"  limit     {limit['rule']}: {told} ({limit.get('configured_at', '')})"
