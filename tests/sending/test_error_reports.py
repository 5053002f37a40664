"""Django's error reports show neither text nor number of a send that raised."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from djsms import asend_text, hookimpl, send_text, send_texts
from djsms.accounts import gateways
from djsms.exceptions import OutcomeUnknown, TextMessageError

# In two pieces, since a report shows the lines of this file as well.
TEXT = "Your code" + " is 4711"
NUMBER = "+447700" + "900456"
WRONG: list[dict[str, Any]] = [{}, {"to": "0" + NUMBER[3:]}, {"extra": 7}, {"key": ""}]
GIVEN = {"text": TEXT, "frm": "Acme", "to": NUMBER, "fail_silently": False}


class Failing:
    @hookimpl
    def send(self, message: Any) -> Any:
        raise OutcomeUnknown("silence")


WAYS: dict[str, Callable[..., Any]] = {
    "one": lambda **given: send_text(**given),
    "one, asynchronously": lambda **given: asyncio.run(asend_text(**given)),
    "many": lambda **given: send_texts([given]),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "wrong", [{}, {"to": "0" + NUMBER[3:]}, {"extra": 7}, {"key": ""}], ids=str
)
@pytest.mark.parametrize("way", WAYS)
def test_of_a_send_hold_no_text_and_no_number(
    way: str, wrong: dict[str, Any], settings: Any
) -> None:
    settings.DEBUG = False
    with (
        gateways.replaced(lambda alias: Failing()),
        pytest.raises((TextMessageError, TypeError)) as caught,
    ):
        WAYS[way](**GIVEN | wrong)
    # What called us is the application's: here two frames of this file.
    inner = caught.value.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename == __file__:
        inner = inner.tb_next
    reporter = ExceptionReporter(RequestFactory().get("/"), type(caught.value), caught.value, inner)
    shown = reporter.get_traceback_html()
    for told in (TEXT, NUMBER, NUMBER[3:]):
        assert told not in shown
