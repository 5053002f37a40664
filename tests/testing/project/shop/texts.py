"""What the shop texts to its customers."""

from djsms import send_text


def welcome(number: str, *, frm: str = "Shop", using: str = "default") -> None:
    send_text("Welcome!", frm, number, using=using)
