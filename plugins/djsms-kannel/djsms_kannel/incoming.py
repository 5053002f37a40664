"""What Kannel hands on from a phone: by ``get-url``, or by ``post-url`` with plain headers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from djsms import IncomingText, PartOf, international
from djsms.exceptions import InvalidWebhook, Misdirected
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

READ = ("id", "from", "to", "time", "coding", "charset")
"""What is read, so that each may come once only; all else is kept, whatever it is."""

QUERIED = ("id", "from", "time")
"""What a ``post-url`` says in its address, since no header does."""
MAX_PARAMETERS = 200

CONCATENATED = {0x00: 1, 0x08: 2}
"""Information elements of a text in parts, with the size of their reference in octets: 3GPP TS
23.040, 9.2.3.24.1 and 9.2.3.24.8."""


def incoming_text(request: HttpRequest) -> IncomingText:
    """Read a call of a service whose address is ``get_url``, or of a plain ``post-url``.

    Bytes that are not what they should be become U+FFFD rather than an error: after an error Kannel
    gives the text up. Of a binary message the bytes are in ``raw`` as hexadecimal, and the text is
    empty.

    Raises ``Misdirected`` if it is a status report, ``InvalidWebhook`` if there is no text, or
    nothing says who sent it, and to whom.
    """
    fields = _posted(request) if request.method == "POST" else parameter_bytes(request)
    missing = [name for name in ("from", "to", "text") if name not in fields]
    if missing and {"ref", "type"} <= fields.keys():
        raise Misdirected("This is a status report at the address for incoming texts.")
    if missing:
        raise InvalidWebhook(f"The address in Kannel's configuration lacks {', '.join(missing)}.")
    body, udh = fields.pop("text"), fields.pop("udh", b"")
    words = {name: _word(fields[name]) for name in READ if name in fields}
    raw = {name: _shown(value) for name, value in fields.items() if name not in ("from", "to")}
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


def _word(value: bytes) -> str:
    # Kannel hands on a sender's name as the operator wrote it, unless alt-addr-charset is set.
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _shown(value: bytes | list[bytes]) -> str | list[str]:
    return [_word(one) for one in value] if isinstance(value, list) else _word(value)


def _posted(request: HttpRequest) -> dict[str, bytes]:
    if request.content_type not in ("text/plain", "application/octet-stream"):
        raise InvalidWebhook("Kannel's post-url is read as plain text, not as post-xml or a form.")
    # WSGI hands headers over as Latin-1, whatever their bytes mean.
    headers = {
        name: str(request.META[f"HTTP_X_KANNEL_{name.upper()}"]).encode("latin-1", "replace")
        for name in ("from", "to", "coding", "smsc", "udh")
        if f"HTTP_X_KANNEL_{name.upper()}" in request.META
    }
    if "udh" in headers:
        headers["udh"] = unquote_to_bytes(headers["udh"].replace(b"+", b" "))
    return {
        **_queried(request),
        **headers,
        "charset": (request.content_params or {}).get("charset", "").encode(),
        "text": request.body,
    }


def _queried(request: HttpRequest) -> dict[str, bytes]:
    """Return what no header says: the id and the time, and the sender if Kannel keeps it back."""
    # Not request.GET, which reads the address in the charset of the body.
    query = request.META.get("QUERY_STRING", "")
    try:
        pairs = parse_qsl(query, True, encoding="latin-1", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise InvalidWebhook(f"The parameters of the address cannot be read: {error}") from error
    found: dict[str, bytes] = {}
    for name, value in pairs:
        if name in QUERIED and found.setdefault(name, value.encode("latin-1")) != value.encode(
            "latin-1"
        ):
            raise InvalidWebhook(f"The address has {name} more than once.")
    return found
