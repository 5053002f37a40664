"""Vonage's signatures over the parameters of a request, the same in both directions.

Described in its guide on signing messages. All parameters but ``sig`` count, also those that are
not known here. A signature does not pin a text to the letter: ``a&b``, ``a=b`` and ``a_b`` have the
same one.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping

from djsms.exceptions import Forged

__all__ = ["METHODS", "now", "refuse_stale", "sign", "verify"]

_SEPARATORS = str.maketrans("&=", "__")


def _keyed(algorithm: str) -> Callable[[bytes, bytes], str]:
    return lambda base, secret: hmac.new(secret, base, algorithm).hexdigest()


METHODS: Mapping[str, Callable[[bytes, bytes], str]] = {
    "md5hash": lambda base, secret: hashlib.md5(base + secret, usedforsecurity=False).hexdigest(),
    "md5": _keyed("md5"),
    "sha1": _keyed("sha1"),
    "sha256": _keyed("sha256"),
    "sha512": _keyed("sha512"),
}
"""The methods by the names that Vonage's settings have for them."""


def now() -> str:
    """Return the ``timestamp`` of a request that is made now."""
    return str(int(time.time()))


def sign(parameters: Mapping[str, str], secret: str, method: str) -> str:
    """Return the signature of the parameters in lower case; a ``sig`` among them does not count."""
    # Names are treated as values are: else one made of two parameters would sign like the two.
    base = "".join(
        f"&{name.translate(_SEPARATORS)}={parameters[name].translate(_SEPARATORS)}"
        for name in sorted(parameters)
        if name != "sig"
    )
    # JSON can carry half a surrogate pair, where a phone has cut a long text.
    return METHODS[method](base.encode("utf-8", "surrogatepass"), secret.encode())


def verify(parameters: Mapping[str, str], secret: str, method: str) -> dict[str, str]:
    """Return the parameters that the signature covers; raise ``Forged`` if it is wrong.

    Its letter case does not matter.
    """
    given = parameters.get("sig", "")
    if not given:
        raise Forged(
            "The request is not signed. Ask Vonage's support to sign the webhooks of this account, "
            "or set signed_webhooks = False and rely on the token in the address."
        )
    for candidate in _candidates(parameters):
        if _equal(given, sign(candidate, secret, method)):
            return candidate
    raise Forged("The signature of the request is wrong: check signature_secret and _method.")


def refuse_stale(timestamp: object, max_age: float) -> None:
    """Raise ``Forged`` unless a UNIX time is at most ``max_age`` seconds away from now."""
    try:
        age = abs(time.time() - float(str(timestamp)[:20]))
    except ValueError:
        raise Forged("The request does not say when it was made.") from None
    # So that what is no number at all is refused too.
    if not age <= max_age:
        raise Forged("The request was made too long ago, or in the future.")


def _candidates(parameters: Mapping[str, str]) -> Iterator[dict[str, str]]:
    # Whether parameters without a value are part of the signed text is not documented.
    yield dict(parameters)
    if not all(value.strip() for value in parameters.values()):
        yield {name: value for name, value in parameters.items() if value}
        yield {name: value for name, value in parameters.items() if value.strip()}


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(
        given.lower().encode("utf-8", "surrogatepass"), expected.encode("ascii")
    )
