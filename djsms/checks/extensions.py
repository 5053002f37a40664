"""Extensions: one that is broken keeps every account from sending."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from djsms import conf
from djsms.accounts.gateways import Gateway
from djsms.backends import DummyBackend
from djsms.checks.labels import place_of
from djsms.exceptions import BackendBroken

__all__ = ["check", "problems"]

# These say what is wrong with the code or the settings, and quote no value of theirs.
TELLING = (AttributeError, ImproperlyConfigured, NameError, SyntaxError, TypeError)


def check() -> Iterator[CheckMessage]:
    """Check each extension on its own."""
    for problem in problems():
        yield Error(
            problem,
            hint="Correct its path in DJSMS_EXTENSIONS, or the extension; no account can send "
            "before.",
            id="djsms.E006",
        )


def problems() -> list[str]:
    """Return what is wrong with the extensions."""
    try:
        paths = conf.extensions()
    except ImproperlyConfigured:
        return []
    return [problem for path in paths if (problem := _problem(path))]


def _problem(path: str) -> str:
    culprit = f"The extension {path!r}"
    try:
        extension = import_string(path)()
    except ImportError as error:
        return f"{culprit} cannot be imported: {error}"
    except TELLING as error:
        return f"{culprit} cannot be made: {type(error).__name__}: {error}{place_of(error)}"
    except Exception as error:
        module = path.rpartition(".")[0]
        return (
            f"{culprit} cannot be made: {type(error).__name__}{place_of(error)}. What it says "
            f'might hold a secret; python manage.py shell -c "import {module}; {path}()" shows it.'
        )
    try:
        # Around a backend that is surely right, so that what is wrong is the extension's.
        Gateway(
            alias=conf.DEFAULT_ALIAS,
            backend="dummy",
            plugin=DummyBackend(),
            extensions={path: extension},
        )
    except BackendBroken as error:
        return str(error)
    return ""
