"""What the shop texts to its customers."""

from datetime import timedelta

from djsms import enqueue_text, send_text


def welcome(number: str, *, frm: str = "Shop", using: str = "default") -> None:
    send_text("Welcome!", frm, number, using=using)


def remind(number: str) -> None:
    enqueue_text("Your table is ready", "Shop", number)
    enqueue_text("How was it?", "Shop", number, run_after=timedelta(hours=3))
