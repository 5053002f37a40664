"""What a person at the command line can put right, said without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DatabaseError

from djsms.exceptions import TextMessageError

__all__ = ["told"]


@contextmanager
def told() -> Iterator[None]:
    """Turn wrong arguments, settings and databases into a ``CommandError``."""
    try:
        yield
    except (TextMessageError, ImproperlyConfigured) as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(
            f"The database refuses: {error}. Has manage.py migrate been run?"
        ) from error
