# ruff: noqa: PT009  (as one writes them with Django)
"""Tests in the manner of Django; more than one class each, so that they can run in parallel."""

from django.core import mail
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings

from djsms.models import TextMessage
from djsms.testing import outbox
from shop.texts import welcome

THEM = "+447700900001"


class WelcomeTests(TestCase):
    def test_one(self) -> None:
        welcome(THEM)
        self.assertEqual(len(outbox), 1)
        self.assertEqual(outbox[0].to, THEM)
        self.assertEqual(outbox[0].message.status, "sending")

    def test_another(self) -> None:
        self.assertFalse(outbox)
        welcome(THEM, using="alerts")
        self.assertTrue(outbox.for_account("alerts").sent_to("+44 7700 900001"))

    def test_mail_is_a_matter_of_its_own(self) -> None:
        welcome(THEM)
        mail.outbox = []
        self.assertEqual(len(outbox), 1)


class PreparedTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        welcome(THEM)

    def setUp(self) -> None:
        welcome("+447700900002")

    def test_one(self) -> None:
        self.assertEqual(outbox.texts, ["Welcome!"])
        self.assertEqual(TextMessage.objects.count(), 2)

    def test_another(self) -> None:
        self.test_one()


class ReportTests(TransactionTestCase):
    def test_report(self) -> None:
        welcome(THEM)
        self.assertEqual(outbox.report(outbox[0], "delivered").status, "delivered")

    def test_failure(self) -> None:
        outbox.refuse()
        welcome(THEM)
        self.assertEqual(len(outbox.failed), 1)

    def test_failure_is_over(self) -> None:
        welcome(THEM)
        self.assertEqual(len(outbox), 1)


class OverrideTests(TestCase):
    @override_settings(DJSMS_BACKEND="dummy", DJSMS_OPTIONS={})
    def test_default_account(self) -> None:
        welcome(THEM)
        self.assertEqual(TextMessage.objects.get().backend, "dummy")
        welcome(THEM, using="alerts")
        self.assertEqual([sent.account for sent in outbox], ["alerts"])

    @override_settings(DJSMS_ACCOUNTS={"alerts": {"BACKEND": "dummy"}})
    def test_other_account(self) -> None:
        welcome(THEM, using="alerts")
        self.assertFalse(outbox)
        welcome(THEM)
        self.assertTrue(outbox)

    def test_both_in_turn(self) -> None:
        for _ in range(2):
            with self.settings(DJSMS_BACKEND="dummy", DJSMS_OPTIONS={}):
                with self.settings(DJSMS_BACKEND="memory"):
                    welcome(THEM)
                welcome(THEM)
            self.assertFalse(outbox)
        welcome(THEM)
        self.assertTrue(outbox)


@override_settings(DJSMS_BACKEND="dummy", DJSMS_OPTIONS={})
class OverriddenClassTests(TestCase):
    def test_default_account(self) -> None:
        welcome(THEM)
        self.assertFalse(outbox)


class AsyncTests(TransactionTestCase):
    async def test_send(self) -> None:
        from djsms import asend_text

        await asend_text("Hello", "Shop", THEM)
        self.assertEqual(outbox.texts, ["Hello"])


class SimpleTests(SimpleTestCase):
    def test_empty(self) -> None:
        self.assertEqual(list(outbox), [])
