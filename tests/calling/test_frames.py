"""What an error report shows of a call that failed: no secret, no text, no number.

Django's reports, as they are mailed to the admins, show the variables of every function that an
exception came through; other reporters do so too, and know nothing of Django's masks.
"""

import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import requests
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from requests.adapters import HTTPAdapter
from wire import Provider, answer, hang_up

import djsms
from djsms import OutgoingText, SendResult, hookimpl
from djsms.accounts.gateways import Gateway
from djsms.exceptions import SendError
from djsms.http import BearerToken, HTTPBackend

SECRET, TEXT, NUMBER = "s3cret-of-acme", "Your code is 4711", "+447700900123"
MESSAGE = OutgoingText(ref="0" * 32, text=TEXT, frm="Acme", to=NUMBER)


@dataclass(frozen=True, kw_only=True)
class Acme(HTTPBackend):
    url: str
    key: str = field(default=SECRET, repr=False)
    timeout: float = 1.0

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        self.post(
            f"{self.url}?key={self.key}&to={message.to}",
            data={"text": message.text},
            headers={"X-Key": self.key},
        )
        return SendResult.accepted("1")


@dataclass(frozen=True, kw_only=True)
class Lending(Acme):
    def configure(self, session: requests.Session) -> None:
        session.auth = BearerToken(self._fetch)

    def _fetch(self) -> tuple[str, float]:
        self.post(f"{self.url}&token", auth=("acme", self.key))
        return self.key, 60


class Careless:
    """Knows nothing of all this, and keeps everything in variables."""

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        fields = {"key": SECRET, "to": message.to, "text": message.text}
        raise RuntimeError(f"a bug with {len(fields)} fields")


def a_bug(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("a bug in a library")


FAILURES: dict[str, tuple[type[Acme], Callable[[Any], Any]]] = {
    "no connection": (Acme, lambda started: "http://127.0.0.1:9/"),
    "cut off": (Acme, lambda started: started(Provider(hang_up)).url),
    "refused": (Acme, lambda started: started(Provider(answer("400 Bad Request", b"no"))).url),
    "no token": (Lending, lambda started: started(Provider(answer("500 Oops"))).url),
    "no address": (Acme, lambda started: "nowhere"),
    "a bug": (Acme, lambda started: "http://127.0.0.1:9/"),
}


@pytest.fixture(params=FAILURES)
def error(
    request: pytest.FixtureRequest,
    started: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[BaseException]:
    kind, where = FAILURES[request.param]
    backend = kind(url=where(started))
    if request.param == "a bug":
        monkeypatch.setattr(HTTPAdapter, "send", a_bug)
    gateway = Gateway(alias="default", backend="acme", plugin=backend, extensions={})
    with pytest.raises((SendError, RuntimeError)) as caught:
        gateway.send(MESSAGE)
    yield caught.value
    backend.session.close()


def require_none_of_it(shown: str) -> None:
    for told in (SECRET, TEXT, NUMBER, NUMBER.lstrip("+")):
        assert told not in shown


@pytest.mark.parametrize("shape", ["html", "text"])
def test_djangos_report_shows_none_of_it(shape: str, error: BaseException, settings: Any) -> None:
    settings.DEBUG = False
    # The frame of the test itself holds it all, and is no frame of ours.
    inner = error.__traceback__ and error.__traceback__.tb_next
    reporter = ExceptionReporter(RequestFactory().get("/"), type(error), error, inner)
    require_none_of_it(getattr(reporter, f"get_traceback_{shape}")())


def test_djangos_report_masks_the_variables_of_any_backend(settings: Any) -> None:
    settings.DEBUG = False
    gateway = Gateway(alias="default", backend="acme", plugin=Careless(), extensions={})
    with pytest.raises(RuntimeError) as caught:
        gateway.send(MESSAGE)
    inner = caught.value.__traceback__ and caught.value.__traceback__.tb_next
    reporter = ExceptionReporter(RequestFactory().get("/"), RuntimeError, caught.value, inner)
    shown = reporter.get_traceback_html()
    assert "a bug with 3 fields" in shown
    require_none_of_it(shown)


def test_no_variable_of_ours_shows_it_to_any_reporter(error: BaseException) -> None:
    home = str(Path(djsms.__file__).parent)
    seen = 0
    for frame in frames(error.__traceback__):
        if frame.f_code.co_filename.startswith(home):
            seen += 1
            require_none_of_it(repr(dict(frame.f_locals)))
    assert seen


def test_no_frame_of_the_http_library_is_in_it(error: BaseException) -> None:
    files = [frame.f_code.co_filename for frame in frames(error.__traceback__)]
    assert not [name for name in files if "requests" in name or "urllib3" in name]
    assert error.__cause__ is None
    assert error.__context__ is None


def test_what_nobody_foresaw_says_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HTTPAdapter, "send", a_bug)
    with pytest.raises(RuntimeError) as caught:
        Acme(url="http://127.0.0.1:9/").send(MESSAGE)
    told = "".join(traceback.format_exception(caught.value))
    assert f"It came from a_bug, in {sys.modules[__name__].__file__}, line " in told


def frames(tb: TracebackType | None) -> Iterator[Any]:
    while tb is not None:
        yield tb.tb_frame
        tb = tb.tb_next
