"""What the demo shows, step by step: three texts out, a status report and a reply in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError
from django.test import Client

from djsms.accounts import addresses
from djsms.models import TextMessage
from djsms.sending.now import send_text
from djsms.types import Status

if TYPE_CHECKING:
    from djsms.cli.base import Subcommand

__all__ = ["Story"]

# Numbers that Ofcom keeps for fiction.
SHOP, CUSTOMER = "+447700900100", "+447700900123"

PLAIN = "Your table for two is booked for tonight, 8 pm."
COLOURFUL = "Voilà, votre table est prête 🎉"
LONG = (
    "Thank you for dining with us! Tell us how it was: reply with a number from 1 to 5, where 5 "
    "is the best. Every answer takes part in our monthly draw of a dinner for two. Reply STOP, "
    "and we will not write again."
)
REPLY = "5! Merci, c'était délicieux 😋"

NEXT = 'In a project of your own: DJSMS_BACKEND = "console", and send_text() as above.'

COLOURS = {Status.DELIVERED: "green", Status.RECEIVED: "cyan"}


class Story:
    def __init__(self, command: Subcommand) -> None:
        self.command = command
        self.client = Client(headers={"host": "example.com"})

    def tell(self) -> None:
        self._step("A text goes out. The console backend prints it instead of sending it.")
        first = self._send(PLAIN, status_report=True)
        self._step("Accents and emoji need another encoding, so fewer characters fit a segment.")
        self._send(COLOURFUL)
        self._step("A long text goes out as several segments, and is charged as such.")
        self._send(LONG)
        self._step("The provider reports that the first one has arrived, to the project's webhook.")
        self._post("callback", {"ref": first.ref, "status": "delivered"})
        self._step("The customer replies.")
        self._post("incoming", {"frm": CUSTOMER, "to": SHOP, "text": REPLY})
        self._step("This is now in the database:")
        self._show_stored()
        self._require_all_is_well(first)
        self.command.say()
        self.command.say(NEXT)

    def _step(self, words: str) -> None:
        self.command.say(self.command.style.MIGRATE_HEADING(words))

    def _send(self, text: str, *, status_report: bool = False) -> TextMessage:
        wish = ", status_report=True" if status_report else ""
        self._code(f'send_text("{_shortened(text)}", "{SHOP}", "{CUSTOMER}"{wish})')
        return send_text(text, SHOP, CUSTOMER, status_report=status_report)

    def _post(self, kind: Any, values: dict[str, str]) -> None:
        path = urlsplit(addresses.webhook_url("default", kind)).path
        self._code(f"POST {path}", json.dumps(values, ensure_ascii=False))
        response = self.client.post(path, json.dumps(values), "application/json", secure=True)
        self.command.say(f"{response.status_code} {response.reason_phrase}")
        self.command.say()
        if response.status_code != 200:
            raise CommandError(f"The webhook answered {response.status_code}.")

    def _code(self, *lines: str) -> None:
        for line in lines:
            self.command.say(self.command.style.SQL_KEYWORD(line))

    def _show_stored(self) -> None:
        from djsms.cli.tables import Styled

        self.command.say_table(
            ["", "from", "to", "text", "segments", "status"],
            [
                [
                    "→" if message.direction == TextMessage.Direction.OUTGOING else "←",
                    message.frm,
                    message.to,
                    _shortened(message.text),
                    str(message.segments),
                    Styled(_history(message), COLOURS.get(message.status, "")),
                ]
                for message in TextMessage.objects.order_by("pk")
            ],
        )

    def _require_all_is_well(self, first: TextMessage) -> None:
        first.refresh_from_db()
        if first.status is not Status.DELIVERED or TextMessage.objects.count() != 4:
            raise CommandError("Not everything is stored as it should be.")


def _shortened(text: str) -> str:
    return text if len(text) < 50 else f"{text[:30].rstrip()}…"


def _history(message: TextMessage) -> str:
    """Return the statuses of a message in their order, the last being where it stands."""
    told = [event.status for event in message.events.order_by("pk")]
    return " → ".join(dict.fromkeys([*told, message.status]))
