"""Values of wrong types are slips of a program, so they are told by name, silent or not."""

from __future__ import annotations

from datetime import datetime

import pytest

from djsms import send_text, send_texts
from djsms.exceptions import TextMessageError
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db

GOOD = {"text": "Hi", "frm": "+447700900001", "to": "+447700900002"}

ODD = [None, True, 0, 1.5, b"x", [], ["a"], {}, {"a": 1}, object(), {1, 2}, lambda: 1]
RIGHT = {
    "text": (),
    "frm": (None,),
    "to": (),
    "fail_silently": (True,),
    "status_report": (True,),
    "using": (),
    "extra": (None, {}, {"a": 1}),
    "key": (None,),
    "expires": (None,),
}


@pytest.mark.parametrize("fail_silently", [True, False])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}={value!r:.20}")
        for name, right in RIGHT.items()
        for value in ODD
        if not any(value == good and type(value) is type(good) for good in right)
    ]
    + [("expires", datetime(2099, 1, 1))],  # noqa: DTZ001
)
def test_a_value_of_a_wrong_type_is_told_by_its_argument(provider, name, value, fail_silently):
    arguments = GOOD | {"fail_silently": fail_silently, name: value}
    with pytest.raises(TypeError, match=rf"\b{name}\b") as caught:
        send_text(**arguments)
    assert not isinstance(caught.value, TextMessageError)
    with pytest.raises(TypeError, match=rf"index 0.*\b{name}\b"):
        send_texts([arguments])
    assert not TextMessage.objects.exists()
    assert provider.sent == []
