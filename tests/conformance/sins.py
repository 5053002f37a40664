"""What backends do wrong: each sin as the code of a backend, and the tests that must fail it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent

__all__ = ["SINS", "Sin", "sin"]

DEPENDENCY = "django-simple-sms>=2,<3"


@dataclass(frozen=True, kw_only=True)
class Sin:
    fails: frozenset[str]
    body: str
    """The body of a class ``BadBackend``, below the good one; or a whole module."""
    advertised: tuple[str, ...] = ("djsms-bad",)
    """The distributions that claim the name."""
    needs: str = DEPENDENCY
    typed: bool = True
    conformance: Mapping[str, str] = field(default_factory=dict)
    """What its conformance test says otherwise than that of the good one."""
    base: str = "good"
    """Which of the good backends it is made of."""

    @property
    def module(self) -> str:
        body = dedent(self.body).strip("\n")
        if "class BadBackend" in body:
            return PRELUDE + body + "\n"
        head = HEAD.replace("Good", self.base.capitalize())
        return PRELUDE + head + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"


PRELUDE = """\
from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import requests
from django.core import checks
from django.core.checks import CheckMessage
from django.http import HttpRequest
from djsms import (
    Balance, IncomingText, OutgoingText, SendResult, SentText, Status, StatusReport, hookimpl
)
from djsms.exceptions import *
from djsms.http import json_object
from djsms_good import GoodBackend
from djsms_rich import RichBackend

"""
HEAD = """\
@dataclass(frozen=True, kw_only=True)
class BadBackend(GoodBackend):
"""


def sin(fails: str, body: str = "pass", **more: object) -> Sin:
    return Sin(fails=frozenset(fails.split()), body=body, **more)  # type: ignore[arg-type]


# A provider that says in the header of the signature when it made the request.
TIMED = {
    "sign": "BackendConformance.sign",
    "sign_at": "staticmethod(timed)",
}

SINS = {
    # packaging
    "two distributions claim its name": sin(
        "test_one_distribution_has_the_name", advertised=("djsms-bad", "djsms-worse")
    ),
    "needs settings at import": sin(
        "test_import_needs_no_settings",
        """
        from django.conf import settings
        ADDRESS = settings.SECRET_KEY
        class BadBackend(GoodBackend):
            pass
        """,
    ),
    "no py.typed": sin("test_package_is_typed", typed=False),
    "does not say which core it needs": sin(
        "test_distribution_says_what_it_needs", needs="requests"
    ),
    "takes any version of the core": sin(
        "test_distribution_says_what_it_needs", needs="django-simple-sms"
    ),
    # options
    "swallows options": sin(
        "test_unknown_option_is_refused",
        """
        class BadBackend(GoodBackend):
            def __init__(self, *, token, url, timeout=10.0, **options):
                super().__init__(token=token, url=url, timeout=timeout)
        """,
    ),
    "does not miss an option": sin(
        "test_missing_option_is_refused",
        """
        class Lenient(type):
            def __call__(cls, *, token="anonymous", url="http://127.0.0.1", **options):
                return super().__call__(token=token, url=url, **options)

        class BadBackend(GoodBackend, metaclass=Lenient):
            pass

        import inspect
        BadBackend.__signature__ = inspect.signature(GoodBackend.__init__).replace(
            parameters=list(inspect.signature(GoodBackend.__init__).parameters.values())[1:]
        )
        """,
    ),
    "is one object for all accounts": sin(
        "test_made_twice_from_the_same_options",
        """
        class BadBackend(GoodBackend):
            ONE = {}
            def __new__(cls, *, token, url, timeout=10.0):
                return cls.ONE.setdefault(url, object.__new__(cls))
        """,
    ),
    # hooks
    "misspells a hook": sin(
        "test_hooks_are_known",
        """
        @hookimpl
        def parse_incomming(self, request: HttpRequest) -> list[IncomingText]:
            return []
        """,
    ),
    "marks no method": sin(
        "test_hooks_are_known",
        """
        class BadBackend:
            def __init__(self, *, token, url): ...
            def send(self, message): ...
        """,
    ),
    "has a hook that is not written": sin(
        "test_hook_is_written",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            raise NotImplementedError("later")
        """,
    ),
    "invents an argument": sin(
        "test_hooks_take_the_specified_arguments",
        """
        @hookimpl
        def check(self, callback_url: str, debug: bool = False) -> list[CheckMessage]:
            return []
        """,
    ),
    "takes a hook's argument by keyword only": sin(
        "test_hooks_take_the_specified_arguments",
        """
        @hookimpl
        def parse_callback(self, *, request: HttpRequest) -> list[StatusReport]:
            return super().parse_callback(request)
        """,
    ),
    "annotates a hook wrongly": sin(
        "test_hooks_are_annotated_as_specified",
        """
        @hookimpl
        def send(self, message: dict) -> SendResult:
            return super().send(message)
        """,
    ),
    "does not annotate a hook": sin(
        "test_hooks_are_annotated_as_specified",
        """
        @hookimpl
        def parse_incoming(self, request):
            return super().parse_incoming(request)
        """,
    ),
    "verifies webhooks by a method": sin(
        "test_verifies_webhooks_is_yes_or_no",
        """
        def verifies_webhooks(self) -> bool:
            return True
        """,
    ),
    # secrets
    "secret in repr": sin("test_repr_holds_no_secret", "token: str"),
    "pickles its secret": sin(
        "test_pickle_holds_no_secret",
        """
        def __reduce__(self):
            return BadBackend, (), vars(self)
        """,
    ),
    "logs its secret": sin(
        "test_log_holds_no_secret",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            logging.getLogger("djsms_bad").debug("Sending with %s", self.token)
            return super().send(message)
        """,
    ),
    "prints its secret when it fails": sin(
        "test_log_holds_no_secret",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except SendError:
                print("Failed with", vars(self))
                raise
        """,
    ),
    "tells its secret in an error": sin(
        "test_errors_hold_no_secret",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except Refused as error:
                raise type(error)(f"{error.text} with {self.token}", code=error.code) from None
        """,
    ),
    "keeps its secret in the cause of an error": sin(
        "test_errors_hold_no_secret",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except TemporarilyUnavailable as error:
                raise error from OSError(f"https://example.com/?token={self.token}")
        """,
    ),
    # results
    "gives each message the same id": sin(
        "test_ids_are_distinct_across_threads",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            super().send(message)
            return SendResult.accepted("1")
        """,
    ),
    "keeps what it sends in itself": sin(
        "test_ids_are_distinct_across_threads",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            self.__dict__["result"] = super().send(message)
            time.sleep(0.02)
            return self.__dict__["result"]
        """,
    ),
    "keeps the message in itself": sin(
        "test_ids_are_distinct_across_threads",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            self.__dict__["message"] = message
            time.sleep(0.02)
            return super().send(self.__dict__["message"])
        """,
    ),
    "keeps the recipient in itself": sin(
        "test_ids_are_distinct_across_threads",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            self.__dict__["to"] = message.to
            time.sleep(0.02)
            return super().send(replace(message, to=self.__dict__["to"]))
        """,
    ),
    "returns a dictionary": sin(
        "test_sends test_accepted test_ids_are_distinct_across_threads test_distorted_answer",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            return {"id": super().send(message).parts[0].provider_id}
        """,
    ),
    "returns raw values that are no JSON": sin(
        "test_sends test_accepted test_ids_are_distinct_across_threads test_distorted_answer",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            return replace(super().send(message), raw={"at": datetime.now()})
        """,
    ),
    # what it says of itself
    "has a method in place of a property": sin(
        "test_features_are_yes_or_no",
        """
        def splits_texts(self):
            return False
        """,
    ),
    "says that texts are split, and shows no part": sin(
        "test_splits_texts",
        """
        @property
        def splits_texts(self) -> bool:
            return True
        """,
    ),
    "does not say that texts are split": sin(
        "test_splits_texts",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            first, = super().send(message).parts
            return SendResult(parts=(first, replace(first, provider_id=first.provider_id + "-2")))
        """,
    ),
    "sends an originator that is empty": sin(
        "test_sends_without_originator",
        """
        def fields(self, message):
            return {**super().fields(message), "from": message.frm}
        """,
        base="rich",
    ),
    "cannot do without the originator that it says it can": sin(
        "test_sends_without_originator",
        """
        def fields(self, message):
            assert message.frm[0]
            return super().fields(message)
        """,
        base="rich",
    ),
    "cannot send accents": sin(
        "test_sends",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            message.text.encode("latin-1")
            return super().send(message)
        """,
    ),
    "finds a message invalid after having sent it": sin(
        "test_sends",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            result = super().send(message)
            if len(message.text) > 1000:
                raise InvalidText("Too long")
            return result
        """,
    ),
    # outcomes
    "sets no timeout": sin(
        "test_no_answer_in_time",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                response = self.session.post(
                    self.url, json={"text": message.text}, allow_redirects=False
                )
            except requests.ConnectionError as error:
                refused = "NewConnectionError" in repr(error)
                raise (TemporarilyUnavailable if refused else OutcomeUnknown)("No") from None
            except requests.RequestException:
                raise OutcomeUnknown("No") from None
            self.raise_for_status(response)
            return self.read(response)
        """,
    ),
    "takes a timeout for a success": sin(
        "test_no_answer_in_time",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except OutcomeUnknown as error:
                if "ReadTimeout" in str(error):
                    return SendResult.accepted(message.ref)
                raise
        """,
    ),
    "takes a timeout for a failure that may be repeated": sin(
        "test_no_answer_in_time",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except OutcomeUnknown as error:
                if "ReadTimeout" in str(error):
                    raise TemporarilyUnavailable("Timed out") from None
                raise
        """,
    ),
    "takes a cut connection for a failure that may be repeated": sin(
        "test_cut_off",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except OutcomeUnknown as error:
                if "ReadTimeout" not in str(error) and "connection failed" in str(error):
                    raise TemporarilyUnavailable("Cut off") from None
                raise
        """,
    ),
    "knows nothing for sure when it cannot connect": sin(
        "test_unreachable",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except TemporarilyUnavailable as error:
                if type(error) is TemporarilyUnavailable:
                    raise OutcomeUnknown("No connection") from None
                raise
        """,
    ),
    "lets the errors of requests out": sin(
        "test_unreachable test_cut_off test_no_answer_in_time",
        """
        def post(self, url, **request):
            try:
                return super().post(url, **request)
            except SendError as error:
                if error.code:
                    raise
                raise requests.ConnectionError(error.text) from None
        """,
    ),
    "repeats a POST": sin(
        "test_nothing_is_sent_twice",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except OutcomeUnknown as error:
                if "connection failed" not in str(error):
                    raise
            return super().send(message)
        """,
    ),
    "lets its library repeat a POST": sin(
        "test_nothing_is_sent_twice",
        """
        def configure(self, session) -> None:
            super().configure(session)
            retries = requests.adapters.Retry(
                2, allowed_methods=None, status_forcelist=[503], raise_on_status=False,
                respect_retry_after_header=True, redirect=0,
            )
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        """,
    ),
    "follows redirects": sin(
        "test_nothing_is_sent_twice",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except OutcomeUnknown as error:
                if error.code == "307":
                    return self.read(self.post(f"{self.url}/elsewhere", json={}))
                raise
        """,
    ),
    "does not know when it is throttled": sin(
        "test_answer",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                return super().send(message)
            except Throttled:
                raise Refused("Refused") from None
        """,
    ),
    "takes every answer for a success": sin(
        "test_nonsense_in_answer",
        """
        def read(self, response) -> SendResult:
            try:
                return super().read(response)
            except OutcomeUnknown:
                return SendResult.accepted()
        """,
    ),
    "crashes on an answer that lacks something": sin(
        "test_distorted_answer",
        """
        def read(self, response) -> SendResult:
            result = super().read(response)
            float(response.json()["cost"][0]["amount"])
            return result
        """,
    ),
    # webhooks
    "crashes on nonsense": sin(
        "test_nonsense_is_refused",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            self.believed(request)["status"]
            return super().parse_callback(request)
        """,
    ),
    "reads naive times": sin(
        "test_samples_are_read_as_expected test_times_are_aware test_nonsense_is_refused",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            return [
                replace(report, occurred_on=report.occurred_on.replace(tzinfo=None))
                for report in super().parse_callback(request)
            ]
        """,
    ),
    "reads another thing each time": sin(
        "test_repeats_are_read_alike",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            return [
                replace(text, raw={"read": time.monotonic_ns()})
                for text in super().parse_incoming(request)
            ]
        """,
    ),
    "yields instead of returning a list": sin(
        "test_samples_are_read_as_expected test_times_are_aware test_repeats_are_read_alike "
        "test_nonsense_is_refused test_forgeries_are_refused test_altered_signature_is_refused "
        "test_signature_that_is_no_ascii_is_refused",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            yield from super().parse_callback(request)
        """,
    ),
    "confuses statuses": sin(
        "test_samples_are_read_as_expected",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            return [
                replace(report, status=Status.SENT) for report in super().parse_callback(request)
            ]
        """,
    ),
    "believes every signature": sin(
        "test_forgeries_are_refused test_altered_signature_is_refused "
        "test_signature_that_is_no_ascii_is_refused",
        """
        def believed(self, request):
            if "X-Signature" not in request.headers:
                raise Forged("No signature")
            values = __import__("djsms.http").http.json_object(request)
            return values
        """,
    ),
    "believes what has no signature": sin(
        "test_forgeries_are_refused",
        """
        def believed(self, request):
            if "X-Signature" in request.headers:
                return super().believed(request)
            return __import__("djsms.http").http.json_object(request)
        """,
    ),
    "does not tell forged from unreadable": sin(
        "test_forgeries_are_refused",
        """
        def believed(self, request):
            try:
                return super().believed(request)
            except Forged:
                raise InvalidWebhook("No") from None
        """,
    ),
    "fetches a certificate to read a webhook": sin(
        "test_samples_are_read_as_expected test_times_are_aware test_repeats_are_read_alike "
        "test_nonsense_is_refused test_forgeries_are_refused",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            try:
                requests.get(f"{self.url}/certificate.pem", timeout=1)
            except requests.RequestException:
                pass
            return super().parse_incoming(request)
        """,
    ),
    "verifies without the secret that it needs": sin(
        "test_unset_secret_proves_nothing test_empty_key_proves_nothing",
        """
        token: str = field(default="", repr=False)
        verifies_webhooks = True

        def believed(self, request):
            return super().believed(request) if self.token else json_object(request)
        """,
    ),
    "compares the first digits alone": sin(
        "test_altered_signature_is_refused",
        """
        def believed(self, request):
            expected = hmac.new(self.token.encode(), request.body, hashlib.sha256).hexdigest()
            if request.headers.get("X-Signature", "")[:8] != expected[:8]:
                raise Forged("No")
            return json_object(request)
        """,
    ),
    "compares as much as is given": sin(
        "test_altered_signature_is_refused",
        """
        def believed(self, request):
            expected = hmac.new(self.token.encode(), request.body, hashlib.sha256).hexdigest()
            given = request.headers.get("X-Signature")
            if given is None or not expected.startswith(given):
                raise Forged("No")
            return json_object(request)
        """,
    ),
    "does not sign the time in the header": sin(
        "test_altered_signature_is_refused",
        """
        def believed(self, request):
            given = request.headers.get("X-Signature", "")
            made, _, signature = given.removeprefix("t=").partition(",v1=")
            expected = hmac.new(self.token.encode(), request.body, hashlib.sha256).hexdigest()
            if not made.isdecimal() or abs(time.time() - int(made)) > 300:
                raise Forged("No")
            if not hmac.compare_digest(signature.encode(), expected.encode()):
                raise Forged("No")
            return json_object(request)
        """,
        conformance=TIMED,
    ),
    "compares texts that are not ASCII": sin(
        "test_signature_that_is_no_ascii_is_refused",
        """
        def believed(self, request):
            expected = hmac.new(self.token.encode(), request.body, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):
                raise Forged("No")
            return json_object(request)
        """,
    ),
    "is tested without a signature": sin(
        "test_sign_is_written", conformance={"sign": "BackendConformance.sign"}
    ),
    "is tested with a signature of its own": sin(
        "test_sign_is_written",
        conformance={
            "sign": "lambda self, request: replace(request, headers={'X-Sig': '1234567'})"
        },
    ),
    "says which signature it expected": sin(
        "test_refusals_hold_no_secret",
        """
        def believed(self, request):
            try:
                return super().believed(request)
            except Forged:
                expected = hmac.new(self.token.encode(), request.body, hashlib.sha256)
                raise Forged(f"Not {expected.hexdigest()}") from None
        """,
    ),
    "logs which signature it expected": sin(
        "test_refusals_hold_no_secret",
        """
        def believed(self, request):
            expected = hmac.new(self.token.encode(), request.body, hashlib.sha256).hexdigest()
            if request.headers.get("X-Signature") != expected:
                logging.getLogger(__name__).debug("Expected %s", expected)
            return super().believed(request)
        """,
    ),
    "says with which secret it has compared": sin(
        "test_refusals_hold_no_secret",
        """
        def believed(self, request):
            try:
                return super().believed(request)
            except Forged:
                raise Forged(f"Wrong for {self.token}") from None
        """,
    ),
    # checks
    "goes to the network to check": sin(
        "test_check",
        """
        @hookimpl
        def check(self, callback_url: str) -> list[CheckMessage]:
            try:
                requests.get(self.url, timeout=1)
            except requests.RequestException:
                pass
            return []
        """,
    ),
    "checks with an id that is not its own": sin(
        "test_check",
        """
        @hookimpl
        def check(self) -> list[CheckMessage]:
            return [checks.Error("No", id="djsms.E001")]
        """,
    ),
    "raises from its check": sin(
        "test_check",
        """
        @hookimpl
        def check(self) -> list[CheckMessage]:
            raise ValueError("No")
        """,
    ),
    "names no addresses": sin(
        "test_webhook_addresses",
        """
        @hookimpl
        def webhook_addresses(self, callback_url: str) -> Mapping[str, str]:
            return {"": None}
        """,
    ),
}
