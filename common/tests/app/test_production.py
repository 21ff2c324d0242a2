"""In production the development key is refused and nothing but health is open."""

import json
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import KeySet, OKPKey

from trivium_common.app.factory import create_app
from trivium_common.app.settings import BffSettings
from trivium_common.app.testing import edge_headers, serve_app
from trivium_common.auth.development import development_private_key
from trivium_common.auth.edge_identity import UnusableKey
from trivium_common.settings import Environment


class SampleSettings(BffSettings):
    service = "sample"
    port: int = 0
    env: Environment = Environment.PRODUCTION


def test_production_refuses_to_start_with_the_development_key(tmp_path: Path) -> None:
    jwks = tmp_path / "keys.json"
    public = KeySet([development_private_key()]).as_dict(private=False)
    jwks.write_text(json.dumps(public))

    for path in (None, str(jwks)):
        with pytest.raises(UnusableKey, match="TRIVIUM_EDGE_PUBLIC_KEYS"):
            create_app("sample", SampleSettings(edge_public_keys=path), [])


async def test_production_hides_openapi_and_knows_no_development_identity(tmp_path: Path) -> None:
    jwks = tmp_path / "keys.json"
    own = OKPKey.generate_key("Ed25519", parameters={"kid": "2026-11"})
    jwks.write_text(json.dumps(KeySet([own]).as_dict(private=False)))
    app = create_app("sample", SampleSettings(edge_public_keys=str(jwks)), [])

    async with serve_app(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        openapi = await client.get("/openapi.json")
        development = await client.get("/openapi.json", headers=edge_headers("sample", "u1"))
        ready = await client.get("/readyz")

    assert (openapi.status_code, development.status_code, ready.status_code) == (401, 401, 200)
