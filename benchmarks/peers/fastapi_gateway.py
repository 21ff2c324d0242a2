"""A gateway as a good engineer writes it with FastAPI and httpx: pooled client, cached tokens, streamed answers.

`python fastapi_gateway.py PORT ORIGIN_PORT JWKS_FILE ISSUER`
"""

import json
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.responses import StreamingResponse

PORT, ORIGIN_PORT = int(sys.argv[1]), int(sys.argv[2])
KEYS = KeySet.import_key_set(json.loads(Path(sys.argv[3]).read_text()))
RULES = jwt.JWTClaimsRegistry(iss={"essential": True, "value": sys.argv[4]}, exp={"essential": True})
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection"}
NEVER_UP = HOP_BY_HOP | {"host", "authorization", "x-user-id", "x-user-email", "x-request-id"}
RATE_PER_S = BURST = 1_000_000.0

verified: dict[str, dict[str, Any]] = {}
buckets: dict[str, tuple[float, float]] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # httpx's pool looks at every connection for every request: few of them serve 64 clients cheapest (128: twice the cost).
    limits = httpx.Limits(max_connections=16, max_keepalive_connections=16)
    timeout = httpx.Timeout(30.0, connect=3.0)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{ORIGIN_PORT}", limits=limits, timeout=timeout, trust_env=False
    ) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


def authenticate(request: Request) -> dict[str, Any]:
    """The claims of the caller's token; verified once, its expiry looked at every time."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    claims = verified.get(token)
    if claims is None:
        try:
            decoded = jwt.decode(token, KEYS, algorithms=["RS256"])
            RULES.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise HTTPException(401) from error
        if len(verified) > 10_000:
            verified.clear()
        claims = verified[token] = decoded.claims
    if claims["exp"] < time.time():
        raise HTTPException(401)
    return claims


Caller = Annotated[dict[str, Any], Depends(authenticate)]


def charge(subject: str) -> None:
    """One token of the subject's bucket."""
    now = time.monotonic()
    tokens, at = buckets.get(subject, (BURST, now))
    tokens = min(BURST, tokens + (now - at) * RATE_PER_S)
    if tokens < 1:
        raise HTTPException(429, headers={"Retry-After": "1"})
    buckets[subject] = (tokens - 1, now)


@app.api_route("/api/web/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def forward(request: Request, path: str, caller: Caller) -> StreamingResponse:
    """Pass the request on and stream the answer back."""
    charge(caller["sub"])
    headers = {name: value for name, value in request.headers.items() if name not in NEVER_UP}
    headers |= {
        "x-user-id": caller["sub"],
        "x-user-email": caller.get("email", ""),
        "x-request-id": uuid.uuid4().hex,
    }
    client: httpx.AsyncClient = request.app.state.client
    body = None if request.method == "GET" else request.stream()
    upstream = client.build_request(
        request.method, f"/{path}", params=request.query_params, headers=headers, content=body
    )
    answer = await client.send(upstream, stream=True)
    kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
    return StreamingResponse(stream(answer), answer.status_code, kept)


async def stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes; the connection goes back to the pool even when the client leaves."""
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


if __name__ == "__main__":
    uvicorn.run(app, port=PORT, loop="uvloop", http="httptools", access_log=False, log_level="warning")
