"""The parameters of a webhook request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from djsms.exceptions import InvalidWebhook
from djsms.http import parameter_lists

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["Fields", "fields", "single"]

Fields: TypeAlias = Mapping[str, str | list[str]]


def fields(request: HttpRequest) -> Fields:
    """Return the parameters as they came; a name with several values has a list of them.

    Twilio adds parameters as it likes, so what is not known here may be anything.
    """
    return {
        name: values[0] if len(set(values)) == 1 else values
        for name, values in parameter_lists(request).items()
    }


def single(found: Fields, *names: str) -> str:
    """Return the value under the first of the names that has one; empty if none has.

    Raises ``InvalidWebhook`` if it has several, as which of them counts would be anybody's guess.
    """
    for name in names:
        value = found.get(name, "")
        if isinstance(value, list):
            raise InvalidWebhook(f"The parameter {name} has several values.")
        if value:
            return value
    return ""
