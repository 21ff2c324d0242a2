"""An OpenID provider's key in good hands, and every way to abuse a token that needs no key."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Forger:
    """Signs good tokens for `issuer`, and forges others."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self, key: rsa.RSAPrivateKey, kid: str = "k1") -> dict[str, str]:
        """The public half."""
        numbers = key.public_key().public_numbers()
        modulus = numbers.n.to_bytes(256, "big")
        return {"kty": "RSA", "use": "sig", "kid": kid, "n": b64(modulus), "e": b64(b"\x01\x00\x01")}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """A good payload with changes; a value of None leaves the claim out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": "u1",
            "aud": "trivium",
            "azp": "trivium-web",
            "iat": now,
            "exp": now + 300,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(
        self, *, header: dict[str, Any] | None = None, key: rsa.RSAPrivateKey | None = None, **claims: Any
    ) -> str:
        """A token signed with RS256 by the provider, or by `key`."""
        signed = self._signed_part(header or {}, self.claims(**claims))
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{b64(signature)}"

    def unsigned(self, algorithm: str, signature: str = "") -> str:
        """A token that says it needs no signature."""
        return f"{self._signed_part({'alg': algorithm}, self.claims())}.{signature}"

    def keyed_by_public_key(self) -> str:
        """HS256 with the provider's public key as the secret."""
        public = self.key.public_key()
        secret = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        signed = self._signed_part({"alg": "HS256"}, self.claims())
        return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    def with_payload(self, raw: bytes) -> str:
        """A properly signed token over any bytes."""
        signed = self._signed_part({}, {}).partition(".")[0] + "." + b64(raw)
        return f"{signed}.{b64(self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def _signed_part(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        full = {"alg": "RS256", "typ": "at+jwt", "kid": "k1", **header}
        kept = {name: value for name, value in full.items() if value is not None}
        return f"{b64(json.dumps(kept).encode())}.{b64(json.dumps(claims).encode())}"
