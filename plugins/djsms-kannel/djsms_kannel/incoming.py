"""What Kannel hands on from a phone: by ``get-url``, or by ``post-url`` with plain headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import TooManyFieldsSent
from djsms import IncomingText, PartOf, international
from djsms.exceptions import InvalidWebhook
from djsms.http import parameter_bytes

from djsms_kannel.reports import moment

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["incoming_text", "part_of"]

# Kannel's names and, with mo-recode, those of older versions. No others are looked up: some of
# Python's codecs are slow on long input.
CHARSETS = {
    "UTF-8": "utf-8",
    "UTF-16BE": "utf-16-be",
    "WINDOWS-1252": "cp1252",
    "ISO-8859-1": "latin-1",
}
BY_CODING = {"0": "utf-8", "2": "utf-16-be"}
BINARY = "1"

CONCATENATED = {0x00: 1, 0x08: 2}
"""Information elements of a text in parts, with the size of their reference in octets: 3GPP TS
23.040, 9.2.3.24.1 and 9.2.3.24.8."""


def incoming_text(request: HttpRequest) -> IncomingText:
    """Read a call of a service whose address is ``get_url``, or of a plain ``post-url``.

    Bytes that are not what they should be become U+FFFD rather than an error: after an error Kannel
    gives the text up. Of a binary message the bytes are in ``raw`` as hexadecimal, and the text is
    empty.

    Raises ``InvalidWebhook`` if there is no text, or nothing says who sent it, and to whom.
    """
    fields = _posted(request) if request.method == "POST" else parameter_bytes(request)
    missing = [name for name in ("from", "to", "text") if name not in fields]
    if missing:
        raise InvalidWebhook(f"The address in Kannel's configuration lacks {', '.join(missing)}.")
    body, udh = fields.pop("text"), fields.pop("udh", b"")
    words = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    raw = {name: value for name, value in words.items() if name not in ("from", "to")}
    coding = words.get("coding", "")
    if coding == BINARY:
        raw["hex"] = body.hex()
        text = ""
    else:
        charset = CHARSETS.get(words.get("charset", "").upper()) or BY_CODING.get(coding, "utf-8")
        text = _decoded(body, charset)
    if udh:
        raw["udh"] = udh.hex()
    return IncomingText(
        provider_id=words.get("id", ""),
        frm=international(words["from"]),
        to=international(words["to"]),
        text=text,
        received_on=moment(words.get("time", "")),
        part=part_of(udh),
        raw=raw,
    )


def part_of(udh: bytes) -> PartOf | None:
    """Return which part this user data header says; None if it says nothing that makes sense.

    Kannel puts parts together itself, so this is what it gave up on because one did not come.
    """
    position, end = 1, len(udh)
    while position + 2 <= end:
        element, length = udh[position], udh[position + 1]
        data = udh[position + 2 : position + 2 + length]
        size = CONCATENATED.get(element)
        if size is not None and len(data) == length == size + 2:
            total, number = data[size:]
            if 1 <= number <= total:
                # One octet or two: the two kinds of reference stay apart by their length.
                return PartOf(ref=data[:size].hex(), number=number, total=total)
        position += 2 + length
    return None


def _decoded(body: bytes, charset: str) -> str:
    # The halves of a character may come in two parts, and meet again when these are joined.
    errors = "surrogatepass" if charset == "utf-16-be" else "replace"
    try:
        return body.decode(charset, errors)
    except UnicodeDecodeError:
        return body.decode(charset, "replace")


def _posted(request: HttpRequest) -> dict[str, bytes]:
    if request.content_type not in ("text/plain", "application/octet-stream"):
        raise InvalidWebhook("Kannel's post-url is read as plain text, not as post-xml or a form.")
    # WSGI hands headers over as Latin-1, whatever their bytes mean.
    headers = {
        name: str(request.META[f"HTTP_X_KANNEL_{name.upper()}"]).encode("latin-1", "replace")
        for name in ("from", "to", "coding", "smsc")
        if f"HTTP_X_KANNEL_{name.upper()}" in request.META
    }
    return {
        **headers,
        **_identified(request),
        "charset": (request.content_params or {}).get("charset", "").encode(),
        "udh": _unhex(request.META.get("HTTP_X_KANNEL_UDH", "")),
        "text": request.body,
    }


def _identified(request: HttpRequest) -> dict[str, bytes]:
    # What no header says comes in the address.
    try:
        query = request.GET
    except TooManyFieldsSent as error:
        raise InvalidWebhook("The address has too many parameters.") from error
    return {
        name: query[name].encode("utf-8", "replace") for name in ("id", "time") if name in query
    }


def _unhex(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""
