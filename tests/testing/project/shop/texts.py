"""What the shop texts to its customers."""

import secrets
from datetime import timedelta
from functools import partial

from django.db import transaction

from djsms import enqueue_text, send_text


def welcome(number: str, *, frm: str = "Shop", using: str = "default") -> None:
    send_text("Welcome!", frm, number, using=using)


def remind(number: str) -> None:
    enqueue_text("Your table is ready", "Shop", number)
    enqueue_text("How was it?", "Shop", number, run_after=timedelta(hours=3))


def send_code(number: str) -> None:
    send_text(f"{secrets.randbelow(10**6):06} is your code.", "Shop", number)


def order(number: str) -> None:
    with transaction.atomic():
        transaction.on_commit(partial(send_text, "We have your order.", "Shop", number))
