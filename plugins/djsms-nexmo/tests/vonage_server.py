"""A local server that answers as Vonage's SMS API does, by its documented wire format.

It decodes the form, demands HTTP Basic authentication or a signature as documented (and refuses the
two together), and checks the parameters against the documented limits. The recipient decides what
becomes of the message: see ``RECIPIENTS``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from local_server import LocalHandler, LocalServer

API_KEY = "abcd1234"
API_SECRET = "demo-api-secret-0001"
SIGNATURE_SECRET = "demo-signature-secret-0001-of-32b"
PRICE = "0.03330000"

# fmt: off
NAMES = frozenset({
    "from", "to", "text", "type", "ttl", "status-report-req", "callback", "message-class",
    "client-ref", "account-ref", "entity-id", "content-id", "trusted-number", "pool-id", "body",
    "udh", "protocol-id", "api_key", "api_secret", "sig", "timestamp",
})
# fmt: on

# What becomes of a message, by the last three digits of its recipient: the status of each part.
# Other recipients get every part.
RECIPIENTS = {
    "101": ["1"],
    "102": ["wait"],
    "103": ["interval"],
    "105": ["5"],
    "107": ["7"],
    "109": ["9"],
    "110": ["10"],
    "113": ["13"],
    "115": ["15"],
    "121": ["21"],
    "129": ["29"],
    "133": ["33"],
    "201": ["0", "1"],
    "202": ["0", "5"],
    "203": ["1", "10"],
    "204": ["9", "15"],
}
TEXTS = {
    "1": "Throttled",
    "wait": "Throughput Rate Exceeded - please wait [ 702 ] and retry",
    "interval": (
        "Exceeded maximum MT throughput[ MAX [ 30 ] INTERVAL [ 1000 ] COUNT [ 30 ] LAST INT-START "
        "[ 1700000000000 ] TIME_SINCE_LAST_INTERVAL_START [ 529 ]  ] "
    ),
    "5": "Internal Error",
    "9": "Quota Exceeded - rejected",
    "29": "Non White-listed Destination - rejected",
}


@dataclass
class Seen:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    fields: dict[str, str] = field(default_factory=dict)


class VonageServer(LocalServer[Seen]):
    signature_method = "sha256"

    def __init__(self) -> None:
        super().__init__(Handler)


class Handler(LocalHandler):
    server: VonageServer
    # as an answer of Vonage's has been seen to say, although it is UTF-8
    content_type = "application/json;charset=ISO-8859-1"

    def do_POST(self) -> None:  # noqa: N802 (http.server's name)
        body = self.read_body()
        seen = Seen(self.path, self.seen_headers(), body)
        self.server.requests.append(seen)
        if self.server.mishap is not None:
            self.server.mishap(self)
            return
        if self.path != "/sms/json":
            self.answer(404, {"error-code": "404", "error-code-label": "not found"})
            return
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            self.refuse("3", "Expected a form")
            return
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
        seen.fields = fields = dict(pairs)
        refusal = repeated(pairs) or self.unauthenticated(fields) or invalid(fields)
        if refusal:
            self.refuse(*refusal)
        else:
            self.accept(fields)

    def unauthenticated(self, fields: dict[str, str]) -> tuple[str, str] | None:
        header = self.headers.get("Authorization")
        if "sig" not in fields:
            expected = base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
            return None if header == f"Basic {expected}" else ("4", "Bad Credentials")
        if header or "api_secret" in fields:
            return "32", "Signature and API secret are mutually exclusive"
        if fields.get("api_key") != API_KEY:
            return "4", "Bad Credentials"
        base = "".join(
            f"&{name}={value.replace('&', '_').replace('=', '_')}"
            for name, value in sorted(fields.items())
            if name != "sig"
        ).encode()
        if self.server.signature_method == "md5hash":
            expected = hashlib.md5(base + SIGNATURE_SECRET.encode()).hexdigest()
        else:
            digest = self.server.signature_method
            expected = hmac.new(SIGNATURE_SECRET.encode(), base, digest).hexdigest()
        fresh = abs(time.time() - int(fields.get("timestamp", 0))) < 300
        if fresh and hmac.compare_digest(expected, fields["sig"].lower()):
            return None
        return "14", "Invalid Signature"

    def accept(self, fields: dict[str, str]) -> None:
        statuses = RECIPIENTS.get(fields["to"][-3:]) or ["0"] * parts_of(fields)
        count = len(statuses)
        parts = [self.part(status, number, fields) for number, status in enumerate(statuses)]
        self.answer(200, {"message-count": str(count), "messages": parts})

    def part(self, status: str, number: int, fields: dict[str, str]) -> dict[str, str]:
        if status != "0":
            code = "1" if status in ("wait", "interval") else status
            return {"status": code, "error-text": TEXTS.get(status, f"Refused {status}")}
        part = {
            "to": fields["to"],
            "message-id": f"0A000000{int(fields['to'][-6:]):06d}{number:02d}",
            "status": "0",
            "remaining-balance": "12.34000000",
            "message-price": PRICE,
            "network": "23410",
        }
        echo = {name: fields[name] for name in ("client-ref", "account-ref") if name in fields}
        return part | echo

    def refuse(self, status: str, text: str) -> None:
        self.answer(
            200, {"message-count": "1", "messages": [{"status": status, "error-text": text}]}
        )


def repeated(pairs: list[tuple[str, str]]) -> tuple[str, str] | None:
    return ("3", "Repeated parameter") if len(dict(pairs)) != len(pairs) else None


def invalid(fields: dict[str, str]) -> tuple[str, str] | None:
    """Return the refusal of parameters that are against the documented limits."""
    for name in ("from", "to", "text"):
        if not fields.get(name):
            return "2", f"Missing {name} param"
    if unknown := fields.keys() - NAMES:
        return "3", f"Unknown {sorted(unknown)}"
    if not (fields["to"].isdigit() and 7 <= len(fields["to"]) <= 15):
        return "3", "Invalid to"
    if fields.get("type", "text") not in ("text", "unicode", "binary"):
        return "3", "Invalid type"
    if len(fields["text"]) > 3200:
        return "12", "Message too long"
    if "ttl" in fields and not 20_000 <= int(fields["ttl"]) <= 604_800_000:
        return "3", "Invalid ttl"
    if fields.get("message-class", "0") not in ("0", "1", "2", "3"):
        return "3", "Invalid message-class"
    for name in ("status-report-req", "trusted-number"):
        if fields.get(name, "true") not in ("true", "false"):
            return "3", f"Invalid {name}"
    callback = fields.get("callback", "https://example.com/")
    if len(callback) > 100 or not callback.startswith(("http://", "https://")):
        return "23", "Invalid Callback URL"
    return None


def parts_of(fields: dict[str, str]) -> int:
    unicode = fields.get("type") == "unicode"
    length = len(fields["text"].encode("utf-16-le")) // 2 if unicode else len(fields["text"])
    one, each = (70, 67) if unicode else (160, 153)
    return 1 if length <= one else -(-length // each)
