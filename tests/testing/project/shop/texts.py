"""What the shop texts to its customers."""

from djsms import send_text


def welcome(number: str, *, using: str = "default") -> None:
    send_text("Welcome!", "Shop", number, using=using)
