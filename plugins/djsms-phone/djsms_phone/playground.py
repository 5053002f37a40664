"""The network within a test: phones to look at and to write with, and time that one lets pass."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone
from djsms.numbers import recipient

from djsms_phone import network, player, texts
from djsms_phone.behaviours import Behaviour
from djsms_phone.models import Call, Handset
from djsms_phone.texts import TextMessage

__all__ = ["Phone", "Playground"]

FOREVER = timedelta(days=366)


class Playground:
    """Plays the network of all phones; nothing happens before the test calls ``play``."""

    def __init__(self) -> None:
        self._client = Client()

    def phone(self, number: str) -> Phone:
        """Return the phone of a number, which may be there already."""
        handset, _ = Handset.objects.get_or_create(number=recipient(number))
        return Phone(self, handset)

    def behave(self, behaviour: Behaviour | str) -> None:
        """Let all phones, and those that come, behave in a way: ``"slow"``, ``"off"`` …"""
        network.switch_all(Behaviour(behaviour))

    def play(self, seconds: float | None = None) -> list[Call]:
        """Make the calls that are due within so many seconds, and return them with their answers.

        Without ``seconds`` all that ever comes, and nobody waits for it. The calls go to the
        project's webhooks by their addresses, through its middleware. One that is not answered with
        success is made again, as providers do.
        """
        until = timezone.now() + (FOREVER if seconds is None else timedelta(seconds=seconds))
        done = set(Call.objects.filter(done_on__isnull=False).values_list("pk", flat=True))
        player.play(self._post, until=until)
        made = Call.objects.filter(done_on__isnull=False).exclude(pk__in=done)
        return list(made.order_by("done_on", "pk"))

    def _post(self, path: str, body: bytes) -> int:
        return self._client.post(path, body, content_type="application/json").status_code


class Phone:
    """One phone in a test."""

    def __init__(self, playground: Playground, handset: Handset) -> None:
        self._playground = playground
        self._handset = handset

    @property
    def texts(self) -> list[str]:
        """What it got and what it wrote, the oldest first; without what never reached it."""
        return [message.text for message in self._messages() if not message.status.is_failure]

    def behave(self, behaviour: Behaviour | str, *, next_only: bool = False) -> None:
        """Let its network behave in a way from now on, or for its next text alone."""
        self._handset.refresh_from_db()
        network.switch(self._handset, Behaviour(behaviour), next_only=next_only)

    def reply(self, text: str, *, to: str = "", account: str = "") -> list[Call]:
        """Write a text, and let it come in; return the calls that brought it, one for each part.

        By default it answers who wrote last.
        """
        self._handset.refresh_from_db()
        if not (to and account):
            senders = texts.senders(self._handset)
            last_account, last_sender = senders[0] if senders else ("default", "")
            account, to = account or last_account, to or last_sender
        if not to:
            raise ValueError("Nobody has written to this phone: say with to= whom it writes to.")
        waiting = {call.pk for call in network.reply(self._handset, text, account=account, to=to)}
        made = self._playground.play(network.SLOW_REPLY.total_seconds() + 1)
        return [call for call in made if call.pk in waiting]

    def _messages(self) -> list[TextMessage]:
        return texts.page(self._handset, 1000)
