"""Twilio's signatures of webhooks: over the address as it called it, and the form that it posted.

A body that is no form is covered by its hash, ``bodySHA256`` in the query of the address. There is
no time in it: what was captured can be sent again for ever, and counts once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.http import RawPostDataException, UnreadablePostError
from djsms.exceptions import Forged, InvalidWebhook
from djsms.http import parameter_lists, public_url

from djsms_twilio.addresses import REPEAT

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["Keys", "sign", "verify"]

HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
FORM = "application/x-www-form-urlencoded"
ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
PORTS = {"http": "80", "https": "443"}

_BODY_HASH = re.compile(r"(?:^|&)bodySHA256=([0-9A-Fa-f]{64})(?=&|$)")
_ADDRESS = re.compile(r"(https?)://([^/?#]*?)(?::([0-9]+))?((?:[/?#].*)?)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a webhook may be signed with; false if there is nothing."""

    tokens: Sequence[str] = field(default=(), repr=False)
    shared: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.tokens or self.shared)


class _Scheme(NamedTuple):
    secrets: Sequence[str]
    algorithm: str


def sign(
    url: str, parameters: Mapping[str, Sequence[str]], secret: str, algorithm: str = "sha1"
) -> str:
    """Return the signature of an address and a posted form."""
    pairs = "".join(
        f"{name}{value}" for name in sorted(parameters) for value in sorted(set(parameters[name]))
    )
    data = f"{url}{pairs}".encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.digest(secret.encode(), data, algorithm)).decode("ascii")


def verify(request: HttpRequest, keys: Keys) -> None:
    """Raise ``Forged`` unless the request is signed with one of the keys."""
    given = request.headers.get(HEADER, "").encode("utf-8", "surrogatepass")
    if not given:
        raise Forged("The request is not signed.")
    scheme = _scheme(request.headers.get(SETTINGS_HEADER, ""), keys)
    form = _signed_form(request)
    # All are tried, so that the time taken does not tell which of them fits.
    fits = [
        hmac.compare_digest(given, sign(url, form, secret, scheme.algorithm).encode())
        for url in _spellings(public_url(request))
        for secret in scheme.secrets
    ]
    if not any(fits):
        raise Forged(
            "The signature of the request is wrong: check auth_token, and that the address in "
            "Twilio's settings begins with DJSMS_BASE_URL, to the letter."
        )


def _scheme(settings: str, keys: Keys) -> _Scheme:
    if not settings.strip():
        return _Scheme(keys.tokens, ALGORITHMS["HMAC_SHA1"])
    # Signed with a shared key, and the auth token must not do in its place.
    parts = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    algorithm = ALGORITHMS.get(parts.get("algorithm", "").upper())
    secret = keys.shared.get(parts.get("key", ""))
    if algorithm is None:
        raise Forged("The request is signed in a way that is not known here.")
    if not secret:
        raise Forged("The request is signed with a shared key that is not among shared_keys.")
    return _Scheme([secret], algorithm)


def _signed_form(request: HttpRequest) -> Mapping[str, Sequence[str]]:
    if request.method != "POST":
        return {}
    if request.content_type == FORM:
        return parameter_lists(request)
    try:
        body = request.body
    except (RawPostDataException, UnreadablePostError) as error:
        raise InvalidWebhook("The body cannot be read.") from error
    if not body:
        return {}
    hashes = _BODY_HASH.findall(request.META.get("QUERY_STRING", ""))
    actual = hashlib.sha256(body).hexdigest()
    if not hashes or any(given.lower() != actual for given in hashes):
        raise Forged("The address has no hash of the body, or a wrong one.")
    return {}


def _spellings(url: str) -> Iterator[str]:
    """Yield the address in the ways in which Twilio may have written it when it signed.

    With and without the port, whichever of them was configured; an apostrophe in the query as such
    or encoded; with and without our fragment, about which its documents say nothing.
    """
    found = _ADDRESS.fullmatch(url)
    if not found:
        yield url
        return
    scheme, host, port, rest = found.groups(default="")
    path, mark, query = rest.partition("?")
    hosts = dict.fromkeys((host, f"{host}:{port or PORTS[scheme]}"))
    queries = dict.fromkeys((query, query.replace("'", "%27")))
    for authority in hosts:
        for spelling in queries:
            address = f"{scheme}://{authority}{path}{mark}{spelling}"
            yield address
            yield f"{address}{REPEAT}"
