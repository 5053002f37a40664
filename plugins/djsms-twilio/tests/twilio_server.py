"""A local server that answers as Twilio's Messages resource does, by its documented wire format.

It demands HTTP Basic authentication with the auth token or an API key, decodes the form and checks
the parameters against the documented names and limits. Numbers decide what becomes of a message:
see ``RECIPIENTS`` and ``SENDERS``, which are those of the test credentials and a few more.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from local_server import LocalHandler, LocalServer

ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
AUTH_TOKEN = "demo-auth-token-0001"
API_KEY = "SK0123456789abcdef0123456789abcdef"
API_KEY_SECRET = "demo-api-key-secret-0001"
SERVICE_SID = "MG0123456789abcdef0123456789abcdef"

BASE = f"/2010-04-01/Accounts/{ACCOUNT_SID}"

# fmt: off
NAMES = frozenset({
    "To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ApplicationSid", "MaxPrice",
    "ProvideFeedback", "Attempt", "ValidityPeriod", "ForceDelivery", "ContentRetention",
    "AddressRetention", "SmartEncoded", "PersistentAction", "TrafficType", "ShortenUrls",
    "ScheduleType", "SendAt", "SendAsMms", "ContentVariables", "RiskCheck", "MediaUrl",
    "ContentSid", "MessageIntent", "FallbackFrom",
})
# fmt: on
REPEATABLE = frozenset({"MediaUrl", "PersistentAction"})

RECIPIENTS = {
    "+15005550001": (400, 21211, "Invalid 'To' Phone Number: +15005550001"),
    "+15005550002": (400, 21612, "The message cannot be sent with this combination of To and From"),
    "+15005550003": (400, 21408, "Permission to send an SMS has not been enabled for the region"),
    "+15005550004": (400, 21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (400, 21614, "'To' number is not a valid mobile number"),
    "+447700900429": (429, 20429, "Too Many Requests"),
    "+447700900500": (500, 20500, "Internal Server Error"),
    "+447700900503": (503, 20503, "Service Unavailable"),
    "+447700900402": (400, 20005, "Account not active"),
}
SENDERS = {
    "+15005550001": (400, 21212, "The 'From' number +15005550001 is not valid"),
    "+15005550007": (400, 21606, "The 'From' phone number is not a valid, SMS-capable number"),
    "+15005550008": (400, 21611, "This 'From' number has exceeded the maximum number of messages"),
}


@dataclass
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    fields: dict[str, Any] = field(default_factory=dict)


class TwilioServer(LocalServer[Seen]):
    """The server; ``messages`` are those that it took, by their SIDs, for tests to move on."""

    def __init__(self) -> None:
        super().__init__(Handler)
        self.messages: dict[str, dict[str, Any]] = {}

    def forget(self) -> None:
        super().forget()
        self.messages.clear()


class Handler(LocalHandler):
    server: TwilioServer
    content_type = "application/json;charset=utf-8"

    def do_POST(self) -> None:  # noqa: N802 (http.server's name)
        seen = self.note(self.read_body())
        if self.server.mishap is not None:
            self.server.mishap(self)
        elif self.path != f"{BASE}/Messages.json":
            self.refuse(404, 20404, f"The requested resource {self.path} was not found")
        elif not self.authenticated():
            self.refuse(401, 20003, "Authenticate")
        elif self.headers.get_content_type() != "application/x-www-form-urlencoded":
            self.refuse(400, 20001, "Expected a form")
        else:
            self.take(seen)

    def do_GET(self) -> None:  # noqa: N802 (http.server's name)
        self.note(b"")
        if self.server.mishap is not None:
            self.server.mishap(self)
        elif not self.authenticated():
            self.refuse(401, 20003, "Authenticate")
        elif self.path == f"{BASE}/Balance.json":
            self.answer(200, {"account_sid": ACCOUNT_SID, "balance": "12.34000", "currency": "USD"})
        elif (found := re.fullmatch(rf"{BASE}/Messages/(\w+)\.json", self.path)) and (
            message := self.server.messages.get(found[1])
        ):
            self.answer(200, message)
        else:
            self.refuse(404, 20404, f"The requested resource {self.path} was not found")

    def note(self, body: bytes) -> Seen:
        seen = Seen(self.command, self.path, self.seen_headers(), body)
        self.server.requests.append(seen)
        return seen

    def authenticated(self) -> bool:
        pairs = ((ACCOUNT_SID, AUTH_TOKEN), (API_KEY, API_KEY_SECRET))
        expected = {f"Basic {base64.b64encode(':'.join(pair).encode()).decode()}" for pair in pairs}
        return self.headers.get("Authorization") in expected

    def take(self, seen: Seen) -> None:
        pairs = parse_qsl(
            seen.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
        for name, value in pairs:
            if name in REPEATABLE:
                seen.fields.setdefault(name, []).append(value)
            elif name in seen.fields:
                self.refuse(400, 20001, f"{name} is repeated")
                return
            else:
                seen.fields[name] = value
        fields = seen.fields
        refusal = invalid(fields) or RECIPIENTS.get(fields["To"]) or SENDERS.get(fields.get("From"))
        if refusal:
            self.refuse(*refusal)
            return
        message = made(fields, len(self.server.messages) + 1)
        self.server.messages[message["sid"]] = message
        self.answer(201, message)

    def refuse(self, status: int, code: int, message: str) -> None:
        more = f"https://www.twilio.com/docs/errors/{code}"
        self.answer(status, {"code": code, "message": message, "more_info": more, "status": status})


def made(fields: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the resource of a message that was just taken."""
    sid = f"SM{number:032x}"
    by_service = "MessagingServiceSid" in fields
    first = "accepted" if by_service else "queued"
    return {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": fields["Body"],
        "date_created": "Wed, 01 Jan 2020 12:00:00 +0000",
        "date_sent": None,
        "date_updated": "Wed, 01 Jan 2020 12:00:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if by_service else fields["From"],
        "messaging_service_sid": fields.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": "0" if by_service else "1",
        "price": None,
        "price_unit": None if by_service else "USD",
        "sid": sid,
        "status": "scheduled" if "SendAt" in fields else first,
        "subresource_uris": {"media": f"{BASE}/Messages/{sid}/Media.json"},
        "to": fields["To"],
        "uri": f"{BASE}/Messages/{sid}.json",
    }


def invalid(fields: dict[str, Any]) -> tuple[int, int, str] | None:
    """Return the refusal of parameters that are against the documented limits."""
    if unknown := fields.keys() - NAMES:
        return 400, 20001, f"Unknown {sorted(unknown)}"
    if not fields.get("To"):
        return 400, 21604, "A 'To' phone number is required."
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", fields["To"]):
        return 400, 21211, "Invalid 'To' Phone Number"
    if not (fields.get("From") or fields.get("MessagingServiceSid")):
        return 400, 21603, "A 'From' phone number is required."
    if not fields.get("Body"):
        return 400, 21602, "Message body is required."
    if len(fields["Body"]) > 1600:
        return 400, 21617, "The concatenated message body exceeds the 1600 character limit"
    if not 1 <= int(fields.get("ValidityPeriod", 1)) <= 36_000:
        return 400, 30013, "ValidityPeriod is out of range"
    callback = re.match(r"https?://([^/]+)", fields.get("StatusCallback", "https://example.com/"))
    if not callback or "_" in callback[1]:
        return 400, 21609, "The StatusCallback URL is not a valid URL."
    return None
