"""Errors: what to catch, what they tell, and that they survive a trip between processes."""

import copy
import inspect
import pickle

import pytest
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation

from djsms import exceptions
from djsms.exceptions import SendError, TextMessageError

RUN_TIME = """
TextMessageError
    InvalidMessage
        InvalidNumber
        InvalidText
        KeyReused
    SendError
        Refused
            AuthenticationFailed
            InsufficientFunds
            RecipientBlocked
        TemporarilyUnavailable
            Throttled
        OutcomeUnknown
    NotSupported
    InvalidWebhook
        Misdirected
        Forged
"""
CONFIGURATION = """
ImproperlyConfigured
    BackendNotFound
        AccountNotFound
    BackendBroken
    BackendConflict
    InvalidOptions
"""
ALL = [getattr(exceptions, name) for name in exceptions.__all__]
SEND_ERRORS = [kind for kind in ALL if issubclass(kind, SendError)]


def tree(root: type[Exception], indent: str = "\n") -> str:
    children = [kind for kind in ALL if root in kind.__bases__]
    return f"{indent}{root.__name__}" + "".join(
        tree(kind, indent + "    ")
        for kind in sorted(children, key=lambda kind: inspect.getsourcelines(kind)[1])
    )


class TestTheHierarchy:
    def test_of_what_goes_wrong_with_a_message(self) -> None:
        assert tree(TextMessageError) + "\n" == RUN_TIME

    def test_of_what_is_wrong_with_the_configuration(self) -> None:
        assert tree(ImproperlyConfigured) + "\n" == CONFIGURATION

    def test_keeps_the_two_apart_so_that_fail_silently_hides_no_misconfiguration(self) -> None:
        for kind in ALL:
            assert issubclass(kind, TextMessageError) != issubclass(kind, ImproperlyConfigured)

    def test_lets_django_answer_a_bad_webhook_with_400(self) -> None:
        assert issubclass(exceptions.InvalidWebhook, SuspiciousOperation)

    def test_lets_a_caller_catch_a_bad_number_or_text_as_a_bad_value(self) -> None:
        assert issubclass(exceptions.InvalidMessage, ValueError)

    def test_never_takes_an_open_outcome_for_one_that_may_be_sent_again(self) -> None:
        safe_to_repeat = exceptions.TemporarilyUnavailable
        assert not issubclass(exceptions.OutcomeUnknown, safe_to_repeat)
        assert not issubclass(exceptions.Refused, safe_to_repeat)


class TestASendError:
    @pytest.mark.parametrize("kind", SEND_ERRORS)
    def test_tells_the_providers_words_and_its_code(self, kind: type[SendError]) -> None:
        error = kind("Partner quota exceeded", code="9")
        assert (error.text, error.code, error.retry_after) == ("Partner quota exceeded", "9", None)
        assert str(error) == "Partner quota exceeded (code 9)"

    def test_without_a_code_is_its_words(self) -> None:
        assert str(SendError("No route")) == "No route"

    def test_may_have_nothing_to_say(self) -> None:
        assert str(SendError()) == ""

    @pytest.mark.parametrize("kind", SEND_ERRORS)
    def test_survives_a_trip_to_another_process(self, kind: type[SendError]) -> None:
        error = kind("Too many", code="1", retry_after=1.5)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            self.assert_same(pickle.loads(pickle.dumps(error, protocol)), error)
        self.assert_same(copy.copy(error), error)
        self.assert_same(copy.deepcopy(error), error)

    def assert_same(self, one: SendError, other: SendError) -> None:
        assert type(one) is type(other)
        assert one is not other
        assert str(one) == str(other)
        assert (one.text, one.code, one.retry_after) == ("Too many", "1", 1.5)


@pytest.mark.parametrize("kind", ALL)
def test_every_error_survives_a_trip_to_another_process(kind: type[Exception]) -> None:
    error = pickle.loads(pickle.dumps(kind("words")))
    assert type(error) is kind
    assert str(error) == "words"


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_what_it_means(kind: type[Exception]) -> None:
    assert kind.__doc__
