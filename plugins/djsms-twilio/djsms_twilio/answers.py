"""What Twilio answers to a request that it took."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from djsms import Balance, SendResult, SentPart, Status, StatusReport
from djsms.exceptions import OutcomeUnknown

from djsms_twilio import errors, values
from djsms_twilio.codes import INCOMING_WORDS, meaning, status_of

__all__ = ["balance", "report", "result"]

_SID = re.compile(r"[A-Za-z0-9]{2,64}")


def result(content: bytes) -> SendResult:
    """Return the result in the answer to a message: one id, however many segments it has.

    A message that failed at once is one that was taken, so it is no exception. Raises
    ``OutcomeUnknown`` for an answer that tells of no message, and what an error in it means.
    """
    answer = _object(content)
    if not _SID.fullmatch(values.text(answer, "sid")):
        raise errors.of_answer(answer)
    price, currency = _price(answer)
    status = status_of(values.text(answer, "status"), values.code(answer, "error_code"))
    part = SentPart(
        provider_id=values.text(answer, "sid"),
        # Taken it is, whatever the word for it.
        status=Status.SENDING if status == Status.UNKNOWN else status,
        price=price,
        error_code=values.code(answer, "error_code"),
        error_text=_reason(answer),
    )
    return SendResult(parts=(part,), currency=currency, raw=_kept(answer))


def report(content: bytes, ref: str) -> StatusReport | None:
    """Return how a message stands by the answer to a question about it; None if that is no answer.

    Raises ``OutcomeUnknown`` if the answer is no JSON.
    """
    answer = _object(content)
    word, sid = values.text(answer, "status"), values.text(answer, "sid")
    if not word or not _SID.fullmatch(sid) or word in INCOMING_WORDS:
        return None
    price, currency = _price(answer)
    code = values.code(answer, "error_code")
    return StatusReport(
        status=status_of(word, code),
        provider_id=sid,
        ref=ref,
        provider_status=word,
        error_code=code,
        error_text=_reason(answer),
        price=price,
        currency=currency,
        raw=_kept(answer),
    )


def balance(content: bytes) -> Balance:
    """Return the credit in the answer to a question about it; ``OutcomeUnknown`` if none is."""
    answer = _object(content)
    amount = values.amount(answer, "balance")
    if amount is None:
        raise OutcomeUnknown("The answer tells of no balance.")
    return Balance(amount=amount, currency=values.currency(answer, "currency"), raw=answer)


def _object(content: bytes) -> dict[str, Any]:
    answer = values.json_object(content)
    if answer is None:
        raise OutcomeUnknown("The answer is not a JSON object.")
    return answer


def _price(answer: Mapping[str, Any]) -> tuple[Any, str]:
    """Return what the whole message costs, which is written as a debit, and the currency."""
    price = values.amount(answer, "price")
    if price is None:
        return None, ""
    return abs(price), values.currency(answer, "price_unit")


def _reason(answer: Mapping[str, Any]) -> str:
    code = values.code(answer, "error_code")
    return values.text(answer, "error_message") or meaning(code)


def _kept(answer: dict[str, Any]) -> dict[str, Any]:
    # The text is ours, and need not be stored again where nobody looks when it has to go.
    return {name: value for name, value in answer.items() if name != "body"}
