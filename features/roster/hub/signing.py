"""Signs a request by OAuth 1 with HMAC-SHA256, as hubs of OneRoster 1.1 ask for.

Source:
    RFC 5849, sections 3.4 and 3.5.1 (https://www.rfc-editor.org/rfc/rfc5849); 1EdTech, OneRoster 1.1, section 4.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

SAFE = "-._~"
"""Marks that are never escaped, besides letters and digits."""


def sign(url: str, client_id: str, client_secret: str) -> str:
    """The `Authorization` header of a GET of a URL, with a nonce of its own."""
    said = {
        "oauth_consumer_key": client_id,
        "oauth_nonce": secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(time.time())),
        "oauth_version": "1.0",
    }
    key = f"{quote(client_secret, SAFE)}&".encode()
    digest = hmac.new(key, write_base_string("GET", url, said).encode(), hashlib.sha256).digest()
    said["oauth_signature"] = base64.b64encode(digest).decode()
    return "OAuth " + ", ".join(f'{name}="{quote(value, SAFE)}"' for name, value in said.items())


def write_base_string(method: str, url: str, said: Mapping[str, str]) -> str:
    """What is signed: method, address without query and usual port, and all parameters in order.

    Example:
        >>> write_base_string("GET", "HTTP://Hub.example:80/users?limit=2", {"oauth_nonce": "x y"})
        'GET&http%3A%2F%2Fhub.example%2Fusers&limit%3D2%26oauth_nonce%3Dx%2520y'
    """
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "") + (f":{parts.port}" if parts.port not in {None, usual} else "")
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *said.items()]
    ordered = sorted((quote(name, SAFE), quote(value, SAFE)) for name, value in pairs)
    joined = "&".join(f"{name}={value}" for name, value in ordered)
    return "&".join(quote(part, SAFE) for part in (method, f"{parts.scheme}://{host}{parts.path or '/'}", joined))
