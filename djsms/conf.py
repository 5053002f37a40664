"""The project's settings, read when they are needed and never at import."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from djsms import numbers
from djsms.exceptions import AccountNotFound, InvalidOptions
from djsms.types import MAX_PARTS

__all__ = [
    "NAMES",
    "Account",
    "Rate",
    "Window",
    "account",
    "accounts",
    "aliases",
    "allow_unverified_webhooks",
    "base_url",
    "engine",
    "engine_options",
    "extensions",
    "fallbacks",
    "flat_option",
    "health_token",
    "keep_texts",
    "local_backends",
    "opentelemetry",
    "parts_timeout",
    "place",
    "prometheus",
    "region",
    "send_in_tests",
    "strict_numbers",
    "time_zone",
    "window",
    "windows",
]

DEFAULT_ALIAS = "default"
MAX_PARTS_TIMEOUT = timedelta(days=366)
MIN_KEEP_TEXTS, MAX_KEEP_TEXTS = timedelta(hours=1), timedelta(days=36_525)
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
HEALTH_TOKEN = re.compile(r"[!-~]{16,200}")
DOTTED_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
BASE_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?", re.IGNORECASE)
RATE = re.compile(r"([1-9][0-9]{0,5})\s*(texts|segments)?\s*/\s*(s|min|h)")
SECONDS = {"s": 1, "min": 60, "h": 3600}
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WINDOW_NAME_LENGTH = 64
WINDOW_KEYS = ("FROM", "TO", "ZONE", "DAYS")
WINDOW_SHAPE = "FROM, TO and ZONE and, if need be, DAYS"
MAX_CONCURRENCY = 1000
MAX_LIFETIME = timedelta(days=366)
MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many texts, or segments, may go out in a time: ``"30/s"``, ``"5 segments/s"``."""

    count: int
    seconds: int
    by_segment: bool = False

    def __str__(self) -> str:
        unit = next(unit for unit, seconds in SECONDS.items() if seconds == self.seconds)
        return f"{self.count} segments/{unit}" if self.by_segment else f"{self.count}/{unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One way to send: the name of a backend, the options to make it with, and its limits."""

    alias: str
    backend: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    frm: str = ""
    """The originator of texts that name none."""
    rate: Rate | None = None
    originator_rate: Rate | None = None
    """The rate of each originator by itself."""
    concurrency: int | None = None
    """How many calls may be in flight at once, of waiting texts and over all workers."""
    lifetime: timedelta | None = None
    """After what time a text that waits is worth nothing; None: by its priority."""
    fallback: str = ""
    """The alias of the account that takes over what this one surely did not send."""
    max_segments: int = MAX_PARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of the day, on some days of the week, by the wall clock of the recipient's zone.

    One that closes no later than it opens runs over midnight, and belongs to the day it opens on.
    """

    name: str
    opens: time
    closes: time
    days: frozenset[int]
    """0 is Monday, as in ``datetime.weekday``."""
    zone: ZoneInfo
    """Holds where the recipient's zone is not known."""


def aliases() -> list[str]:
    """Return the aliases of all accounts, also of those that are wrongly defined."""
    return list(_definitions())


def accounts() -> dict[str, Account]:
    """Return the accounts by alias; raise ``InvalidOptions`` if the settings are no such thing."""
    return {alias: _account(alias, definition) for alias, definition in _definitions().items()}


def account(alias: str) -> Account:
    """Return one account; raise ``AccountNotFound`` if there is none of this alias.

    What is wrong with other accounts does not matter here. Raises ``TypeError`` for what is no
    alias.
    """
    if not isinstance(alias, str):
        raise TypeError(f"The alias of an account must be a str, not {type(alias).__name__}.")
    known = _definitions()
    if alias in known:
        return _account(alias, known[alias])
    if alias == DEFAULT_ALIAS:
        raise AccountNotFound(
            "There is no default account: set DJSMS_BACKEND to the name of an installed backend "
            "(djsms listbackends shows them)."
        )
    names = ", ".join(map(repr, known)) or "none"
    raise AccountNotFound(f"There is no account {alias!r} in DJSMS_ACCOUNTS (known: {names}).")


def fallbacks(alias: str) -> Iterator[str]:
    """Yield the accounts that take over from this one, in turn, each once.

    Ends where the settings do: at one that is not defined, or wrongly, or was there before.
    """
    known, seen = _definitions(), {alias}
    while alias in known:
        try:
            alias = _account(alias, known[alias]).fallback
        except InvalidOptions:
            return
        if not alias or alias in seen or alias not in known:
            return
        seen.add(alias)
        yield alias


def place(alias: str, name: str) -> str:
    """Return where the settings have this of an account, or would have it: what to correct there.

    Flat settings are the default account's, if there is nothing else of it.
    """
    own = _mapping("DJSMS_ACCOUNTS").get(alias)
    is_flat = alias == DEFAULT_ALIAS and not (isinstance(own, Mapping) and name in own)
    if is_flat and (own is None or name in LIMITS):
        return f"DJSMS_{name}"
    return f"DJSMS_ACCOUNTS[{alias!r}][{name!r}]"


def flat_option(backend: str, option: str) -> Any:
    """Return the setting ``<BACKEND>_<OPTION>``, or ``MISSING``."""
    return getattr(settings, flat_name(backend, option), MISSING)


def flat_name(backend: str, option: str) -> str:
    """Return the name of the setting that an option falls back to."""
    return f"{backend}_{option}".replace("-", "_").upper()


def extensions() -> list[str]:
    """Return the dotted paths of the plugins around every account, the outermost first."""
    paths = getattr(settings, "DJSMS_EXTENSIONS", [])
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        raise InvalidOptions("DJSMS_EXTENSIONS must be a list of dotted paths.")
    for path in paths:
        if paths.count(path) > 1:
            raise InvalidOptions(f"DJSMS_EXTENSIONS lists {path!r} twice.")
    return list(paths)


def local_backends() -> dict[str, str]:
    """Return the dotted paths of the project's own backends by name."""
    found = _mapping("DJSMS_LOCAL_BACKENDS")
    for name, path in found.items():
        if not (isinstance(name, str) and ALIAS.fullmatch(name)):
            raise InvalidOptions(
                f"{name!r} in DJSMS_LOCAL_BACKENDS is no name: use up to 64 letters, digits, '-', "
                "'_' and '.', beginning with a letter or digit."
            )
        if not (isinstance(path, str) and DOTTED_PATH.fullmatch(path)):
            raise InvalidOptions(
                f"DJSMS_LOCAL_BACKENDS[{name!r}] must be the dotted path of a class, such as "
                f"'shop.texts.OurBackend', not {path!r}."
            )
    return dict(found)


def prometheus() -> bool:
    """Return whether figures are kept for Prometheus."""
    return getattr(settings, "DJSMS_PROMETHEUS", False) is True


def opentelemetry() -> bool:
    """Return whether spans are made for OpenTelemetry."""
    return getattr(settings, "DJSMS_OPENTELEMETRY", False) is True


def health_token() -> str:
    """Return the token that opens what the health views do not tell everybody; empty: nothing."""
    token = getattr(settings, "DJSMS_HEALTH_TOKEN", None) or ""
    if token and not (isinstance(token, str) and HEALTH_TOKEN.fullmatch(token)):
        raise InvalidOptions(
            "DJSMS_HEALTH_TOKEN must be a text of 16 to 200 letters, digits and other printable "
            "ASCII characters without spaces."
        )
    return str(token)


def send_in_tests() -> bool:
    """Return whether providers are called under a test runner, too."""
    return getattr(settings, "DJSMS_SEND_IN_TESTS", False) is True


def base_url() -> str:
    """Return the project's public address without a slash at its end; empty if not set."""
    url = getattr(settings, "DJSMS_BASE_URL", None) or ""
    if url and not (isinstance(url, str) and BASE_URL.fullmatch(url)):
        raise InvalidOptions(
            "DJSMS_BASE_URL must be the project's public address, such as 'https://example.com'."
        )
    return str(url).rstrip("/")


def allow_unverified_webhooks() -> bool:
    """Return whether webhook requests are believed that nothing proves."""
    return getattr(settings, "DJSMS_ALLOW_UNVERIFIED_WEBHOOKS", False) is True


def parts_timeout() -> timedelta:
    """Return how long the parts of an incoming text wait for the missing ones."""
    timeout = getattr(settings, "DJSMS_PARTS_TIMEOUT", timedelta(minutes=30))
    if not isinstance(timeout, timedelta):
        raise InvalidOptions(
            "DJSMS_PARTS_TIMEOUT must be a timedelta, such as timedelta(minutes=30), "
            f"not {timeout!r}."
        )
    if not timedelta(0) <= timeout <= MAX_PARTS_TIMEOUT:
        raise InvalidOptions("DJSMS_PARTS_TIMEOUT must be a timedelta from nothing to a year.")
    return timeout


def keep_texts() -> timedelta | None:
    """Return after what time texts and people's numbers are erased; None: never."""
    kept = getattr(settings, "DJSMS_KEEP_TEXTS", None)
    if kept is None:
        return None
    if not isinstance(kept, timedelta):
        days = kept if type(kept) is int and kept > 0 else 90
        raise InvalidOptions(
            f"DJSMS_KEEP_TEXTS must be a timedelta, such as timedelta(days={days}), not {kept!r}."
        )
    if not MIN_KEEP_TEXTS <= kept <= MAX_KEEP_TEXTS:
        raise InvalidOptions(
            "DJSMS_KEEP_TEXTS must be a timedelta of at least an hour, since a text that failed is "
            "sent again from its row, and of at most 100 years; leave it out to keep them for ever."
        )
    return kept


# Both are asked for each number, and Django takes long to find that a setting is not there.
@lru_cache
def region() -> str:
    """Return the region, as ``"GB"``, whose national numbers are read; empty: none are."""
    code = getattr(settings, "DJSMS_REGION", None)
    if not code:
        return ""
    if not (isinstance(code, str) and _is_region(code)):
        raise InvalidOptions(
            "DJSMS_REGION must be a country by its two capital letters, such as 'GB', "
            f"not {code!r}."
        )
    return code


@lru_cache
def strict_numbers() -> bool:
    """Return whether only numbers of a length that their country uses are numbers."""
    return getattr(settings, "DJSMS_STRICT_NUMBERS", True) is not False


def engine() -> str:
    """Return the name of the engine that wakes whoever sends what waits."""
    name = getattr(settings, "DJSMS_ENGINE", "worker")
    if not isinstance(name, str) or not name:
        raise InvalidOptions(
            "DJSMS_ENGINE must be the name of an engine: 'worker', 'tasks', or that of an "
            "installed one."
        )
    return name


def engine_options() -> Mapping[str, Any]:
    """Return the keyword arguments that the engine is made with."""
    options = _mapping("DJSMS_ENGINE_OPTIONS")
    if not all(isinstance(name, str) for name in options):
        raise InvalidOptions("DJSMS_ENGINE_OPTIONS must be a dictionary by the options' names.")
    return options


def windows() -> dict[str, Window]:
    """Return the windows by name; raise ``InvalidOptions`` if one of them is none."""
    return {name: _window(name, given) for name, given in _mapping("DJSMS_WINDOWS").items()}


def window(name: str) -> Window:
    """Return one window; raise ``InvalidOptions`` if there is none of this name."""
    known = _mapping("DJSMS_WINDOWS")
    if name not in known:
        names = ", ".join(map(repr, known)) or "none"
        raise InvalidOptions(f"There is no window {name!r} in DJSMS_WINDOWS (known: {names}).")
    return _window(name, known[name])


def time_zone(name: object) -> ZoneInfo | None:
    """Return the time zone of a name such as ``"Europe/London"``; None if there is none."""
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else None
    except (OSError, ValueError, LookupError):
        # Names that are no paths, that lead out of the data, or to a folder in it.
        return None


@receiver(setting_changed)
def _read_anew(**kwargs: Any) -> None:
    region.cache_clear()
    strict_numbers.cache_clear()


@lru_cache
def _is_region(code: str) -> bool:
    # Its import takes longer than the rest of the package's: only who sets a region pays for it.
    import phonenumbers

    return code in phonenumbers.SUPPORTED_REGIONS


def _definitions() -> dict[str, object]:
    """Return what the settings say of each account, as it stands there.

    Flat settings complete the default account, wherever it is defined.
    """
    found = _backends()
    default = found.get(DEFAULT_ALIAS)
    if isinstance(default, Mapping):
        flat = {
            name: getattr(settings, f"DJSMS_{name}")
            for name in LIMITS
            if hasattr(settings, f"DJSMS_{name}")
        }
        found[DEFAULT_ALIAS] = flat | dict(default)
    return found


def _backends() -> dict[str, object]:
    found = dict(_mapping("DJSMS_ACCOUNTS"))
    backend = getattr(settings, "DJSMS_BACKEND", None)
    if backend is None:
        return found
    if DEFAULT_ALIAS in found:
        raise InvalidOptions(
            "The account 'default' is defined twice: by DJSMS_BACKEND and in DJSMS_ACCOUNTS."
        )
    if not isinstance(backend, str) or not backend:
        raise InvalidOptions(
            "DJSMS_BACKEND must be the name of a backend; djsms listbackends shows what is "
            "installed."
        )
    return {
        DEFAULT_ALIAS: {"BACKEND": backend, "OPTIONS": _mapping("DJSMS_OPTIONS")},
        **found,
    }


def _mapping(name: str) -> Mapping[str, Any]:
    value = getattr(settings, name, None)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidOptions(f"{name} must be a dictionary, not {type(value).__name__}.")
    return value


def _account(alias: str, definition: object) -> Account:
    if not isinstance(alias, str) or not ALIAS.fullmatch(alias):
        raise InvalidOptions(
            f"{alias!r} in DJSMS_ACCOUNTS is no alias: it stands in webhook addresses, so use up "
            "to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit."
        )
    shape = "must be a dictionary of BACKEND and, if need be, OPTIONS and limits"
    known = ("BACKEND", "OPTIONS", *LIMITS)
    if not isinstance(definition, Mapping):
        raise InvalidOptions(f"The account {alias!r} {shape}, not {type(definition).__name__}.")
    for name in definition:
        if name not in known:
            raise InvalidOptions(
                f"The account {alias!r} {shape}; it has {name!r}. The limits are "
                f"{', '.join(LIMITS)}.{_guess(name, known)}"
            )
    backend, options = definition.get("BACKEND"), definition.get("OPTIONS", {})
    if not isinstance(backend, str) or not backend:
        raise InvalidOptions(
            f"The account {alias!r} names no backend; djsms listbackends shows what is installed."
        )
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise InvalidOptions(
            f"{place(alias, 'OPTIONS')} must be a dictionary by the options' names."
        )
    return Account(alias=alias, backend=backend, options=options, **_limits(alias, definition))


def _guess(name: object, known: Sequence[str]) -> str:
    guess = difflib.get_close_matches(str(name).upper(), known, n=1)
    return f" Did you mean {guess[0]!r}?" if guess else ""


def _limits(alias: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, (attribute, read) in LIMITS.items():
        if definition.get(name) is None:
            continue
        try:
            found[attribute] = read(definition[name])
        except (TypeError, ValueError) as error:
            raise InvalidOptions(f"{place(alias, name)}: {error}") from None
    return found


# Each returns the value of a limit, or says by a ValueError what it should be.


def _frm(value: object) -> str:
    return numbers.originator(value)


def _rate(value: object) -> Rate:
    found = RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f"{value!r} is no rate. Write a whole number and its time, such as '30/s', '100/min', "
            "'1000/h' or '5 segments/s'."
        )
    count, unit, period = found.groups()
    return Rate(count=int(count), seconds=SECONDS[period], by_segment=unit == "segments")


def _concurrency(value: object) -> int:
    return _whole_number(value, MAX_CONCURRENCY)


def _max_segments(value: object) -> int:
    return _whole_number(value, MAX_PARTS)


def _whole_number(value: object, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"{value!r} is no whole number from 1 to {most}.")
    return value


def _lifetime(value: object) -> timedelta:
    if not isinstance(value, timedelta) or not timedelta(0) < value <= MAX_LIFETIME:
        raise ValueError(
            f"{value!r} is no timedelta of more than nothing and at most a year, such as "
            "timedelta(hours=4)."
        )
    return value


def _fallback(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not the alias of another account.")
    return value


LIMITS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "FROM": ("frm", _frm),
    "RATE": ("rate", _rate),
    "ORIGINATOR_RATE": ("originator_rate", _rate),
    "CONCURRENCY": ("concurrency", _concurrency),
    "LIFETIME": ("lifetime", _lifetime),
    "FALLBACK": ("fallback", _fallback),
    "MAX_SEGMENTS": ("max_segments", _max_segments),
}

NAMES = frozenset(
    {
        "DJSMS_ACCOUNTS",
        "DJSMS_ALLOW_UNVERIFIED_WEBHOOKS",
        "DJSMS_BACKEND",
        "DJSMS_BASE_URL",
        "DJSMS_ENGINE",
        "DJSMS_ENGINE_OPTIONS",
        "DJSMS_EXTENSIONS",
        "DJSMS_HEALTH_TOKEN",
        "DJSMS_KEEP_TEXTS",
        "DJSMS_LOCAL_BACKENDS",
        "DJSMS_OPENTELEMETRY",
        "DJSMS_OPTIONS",
        "DJSMS_PARTS_TIMEOUT",
        "DJSMS_PROMETHEUS",
        "DJSMS_REGION",
        "DJSMS_SEND_IN_TESTS",
        "DJSMS_STRICT_NUMBERS",
        "DJSMS_WINDOWS",
        *(f"DJSMS_{limit}" for limit in LIMITS),
    }
)
"""What the settings are called that are read here."""


def _window(name: object, given: object) -> Window:
    if not isinstance(name, str) or not 1 <= len(name) <= WINDOW_NAME_LENGTH:
        raise InvalidOptions(
            f"{name!r} in DJSMS_WINDOWS is no name of 1 to {WINDOW_NAME_LENGTH} characters."
        )
    culprit = f"DJSMS_WINDOWS[{name!r}]"
    if not isinstance(given, Mapping):
        raise InvalidOptions(
            f"{culprit} must be a dictionary of {WINDOW_SHAPE}, not {type(given).__name__}."
        )
    for key in given:
        if key not in WINDOW_KEYS:
            raise InvalidOptions(
                f"{culprit} must be a dictionary of {WINDOW_SHAPE}; it has {key!r}."
                f"{_guess(key, WINDOW_KEYS)}"
            )
    for key in ("FROM", "TO"):
        hour = given.get(key)
        if not isinstance(hour, time) or hour.tzinfo is not None:
            raise InvalidOptions(
                f"{culprit} needs {key}, a time without a zone such as time(8){_instead(hour)}."
            )
    zone = time_zone(given.get("ZONE"))
    if zone is None:
        raise InvalidOptions(
            f"{culprit} needs ZONE, the time zone that holds where the recipient's is not known, "
            f"such as 'Europe/London'{_instead(given.get('ZONE'))}."
        )
    days = _days(given.get("DAYS", "mon-sun"))
    if not days:
        raise InvalidOptions(
            f"DAYS of {culprit} must be days such as 'mon-fri' or 'sat,sun', not {given['DAYS']!r}."
        )
    return Window(name=name, opens=given["FROM"], closes=given["TO"], days=days, zone=zone)


def _instead(given: object) -> str:
    return "" if given is None else f", not {given!r}"


def _days(given: object) -> frozenset[int]:
    """Return the days of the week that are meant; none if it cannot be read."""
    if not isinstance(given, str):
        return frozenset()
    days: set[int] = set()
    for part in given.replace(" ", "").lower().split(","):
        first, dash, last = part.partition("-")
        if first not in WEEK or (dash and last not in WEEK):
            return frozenset()
        day, end = WEEK.index(first), WEEK.index(last or first)
        days.add(end)
        while day != end:
            days.add(day)
            day = (day + 1) % 7
    return frozenset(days)
