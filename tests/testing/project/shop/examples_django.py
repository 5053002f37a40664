# ruff: noqa: PT009  (as one writes them with Django)
"""The examples of the documentation for Django's test cases."""

# django: begin
from django.test import TestCase

from djsms.testing import outbox
from shop.texts import remind, welcome


class WelcomeTests(TestCase):
    def test_welcomes(self) -> None:
        welcome("+447700900123")
        self.assertEqual(len(outbox), 1)
        self.assertEqual(outbox[0].to, "+447700900123")
        self.assertIn("Welcome", outbox[0].text)


# django: end


# waiting: begin
class ReminderTests(TestCase):
    def test_reminds(self) -> None:
        remind("+447700900123")
        self.assertEqual(len(outbox.waiting), 2)
        outbox.drain()
        self.assertEqual(outbox[0].text, "Your table is ready")


# waiting: end
