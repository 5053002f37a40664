"""What ``djsms phone`` shows: a restaurant that writes to its guests, and answers them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.utils import timezone
from djsms import send_text

from djsms_phone import calls, network, texts
from djsms_phone.behaviours import Behaviour
from djsms_phone.models import Handset
from djsms_phone.player import Post, play

__all__ = ["answer_replies", "tell"]

# Numbers that Ofcom keeps for fiction.
SHOP = "+447700900100"
SAM, KIM, ALEX, ROBIN, TONI = (f"+447700900{n}" for n in (123, 142, 155, 166, 187))


def tell(post: Post) -> None:
    """Send the texts, and let the network make its calls: ``post`` makes one."""
    _behaves(ALEX, Behaviour.BLOCKED)
    _behaves(ROBIN, Behaviour.OFF)
    _send(ALEX, "Only today: two desserts for the price of one!")
    _send(KIM, "Your code is 482913. It is good for ten minutes.")
    _send(TONI, "Votre table est prête 🎉 À tout de suite !")
    _send(SAM, "Hello Sam, your table for two is booked for tonight, 8 pm. Reply NO to cancel.")
    _finish(post)
    _reply(SAM, "Could we be three? 😋")
    _finish(post)
    _send(SAM, "Of course, a table for three is waiting for you.")
    _send(
        SAM,
        "Thank you for dining with us! Tell us how it was: reply with a number from 1 to 5, where "
        "5 is the best. Every answer takes part in our monthly draw of a dinner for two. Reply "
        "STOP, and we will not write again.",
    )
    _finish(post)
    _send(ROBIN, "Your parcel is at the bar, open until 11 pm.")
    _reply(SAM, "5! Merci, c’était délicieux")
    _finish(post, ahead=timedelta(seconds=10))
    for handset in Handset.objects.filter(number__in=(SAM, TONI)):
        last = texts.page(handset, 1)[-1]
        Handset.objects.filter(pk=handset.pk).update(read_up_to=last.pk)


def _send(to: str, text: str) -> None:
    send_text(text, SHOP, to, status_report=True)


def _reply(number: str, text: str) -> None:
    network.reply(Handset.objects.get(number=number), text, account="default", to=SHOP)


def _behaves(number: str, behaviour: Behaviour) -> None:
    handset, _ = Handset.objects.get_or_create(number=number)
    network.switch(handset, behaviour)


def _finish(post: Post, ahead: timedelta = timedelta(minutes=1)) -> None:
    """Let happen what is due within a time, at once."""
    if calls.next_due():
        play(post, until=timezone.now() + ahead)


def answer_replies() -> None:
    """Let the restaurant answer what its guests write."""
    post_save.connect(_note, sender=texts.TextMessage, dispatch_uid=__name__)


def _note(instance: Any, created: bool, **kwargs: Any) -> None:
    if created and instance.direction == "incoming":
        # The webhook's own transaction must not wait for a provider.
        transaction.on_commit(partial(_answer, instance.text, instance.to, instance.frm))


def _answer(text: str, ours: str, theirs: str) -> None:
    if text.strip().upper() == "STOP":
        words = "You will not hear from us again. Reply START if you change your mind."
    elif "?" in text:
        words = "Good question! Sam will call you back within the hour."
    else:
        words = f"Thank you, we have noted: “{text.strip()[:60]}”. See you soon!"
    send_text(words, ours, theirs, status_report=True)
