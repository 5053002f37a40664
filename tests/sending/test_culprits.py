"""What fails with something unforeseen is told by name: the backend, or one of the extensions."""

import functools
from collections.abc import Callable, Generator
from typing import Any

import pytest

from djsms import OutgoingText, SendResult, hookimpl, send_text
from djsms.backends import LocalBackend
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db(transaction=True)


class Broken(LocalBackend):
    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return {}["answer"]  # type: ignore[no-any-return]


class Silent(LocalBackend):
    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return "sent"  # type: ignore[return-value]


class Wrapper:
    @hookimpl(wrapper=True)
    def send(self, message: OutgoingText) -> Generator[None, Any, Any]:
        return (yield)


class BrokenBefore:
    @hookimpl(wrapper=True)
    def send(self, message: OutgoingText) -> Generator[None, Any, Any]:
        self.look()
        return (yield)

    def look(self) -> None:
        raise RuntimeError("a bug")


class BrokenAfter:
    @hookimpl(wrapper=True)
    def send(self, message: OutgoingText) -> Generator[None, Any, Any]:
        yield
        raise RuntimeError("a bug")


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(self: Any, message: OutgoingText) -> Any:
        return function(self, message)

    return wrapped


class BrokenAndDecorated:
    @hookimpl
    @timed
    def send(self, message: OutgoingText) -> SendResult:
        raise RuntimeError("a bug")


@pytest.fixture(autouse=True)
def backends(settings: Any) -> None:
    settings.DJSMS_LOCAL_BACKENDS = {
        "broken": f"{__name__}.Broken",
        "silent": f"{__name__}.Silent",
    }


def sent() -> TextMessage:
    return send_text("Hello", "Bistro", "+447700900123")


def test_a_backend(settings: Any) -> None:
    settings.DJSMS_BACKEND = "broken"
    assert sent().error_text == "The backend 'broken' failed with KeyError."


def test_a_backend_behind_an_extension(settings: Any) -> None:
    settings.DJSMS_BACKEND = "broken"
    settings.DJSMS_EXTENSIONS = [f"{__name__}.Wrapper"]
    assert sent().error_text == "The backend 'broken' failed with KeyError."


@pytest.mark.parametrize("broken", ["BrokenBefore", "BrokenAfter", "BrokenAndDecorated"])
def test_an_extension(settings: Any, broken: str, caplog: pytest.LogCaptureFixture) -> None:
    settings.DJSMS_BACKEND = "memory"
    settings.DJSMS_EXTENSIONS = [f"{__name__}.Wrapper", f"{__name__}.{broken}"]
    message = sent()
    told = f"The extension '{__name__}.{broken}' failed"
    assert (message.status, message.error_text) == ("unknown", f"{told} with RuntimeError.")
    assert told in caplog.text


def test_of_an_answer_that_is_none_it_is_not_known_whose_it_is(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DJSMS_BACKEND = "silent"
    assert sent().error_text == "The backend 'silent' failed with TypeError."
    settings.DJSMS_EXTENSIONS = [f"{__name__}.Wrapper"]
    assert sent().error_text == "The backend 'silent' or an extension failed with TypeError."
    assert "send() of the backend 'silent' or an extension returned" in caplog.text
