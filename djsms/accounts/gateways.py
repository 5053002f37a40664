"""One configured account: its backend, the project's extensions around it, behind typed methods.

The untyped boundary of the hooks is this file alone.
"""

from __future__ import annotations

import difflib
import inspect
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pluggy
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from djsms import conf, hookspecs
from djsms.accounts import addresses, plugins, rehearsing
from djsms.accounts.blame import raised_by
from djsms.exceptions import (
    AccountNotFound,
    BackendBroken,
    BackendConflict,
    BackendNotFound,
    InvalidOptions,
    NotSupported,
    TemporarilyUnavailable,
)
from djsms.types import (
    Balance,
    IncomingText,
    OutgoingText,
    SendResult,
    SentPart,
    SentText,
    StatusReport,
)

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from django.http import HttpRequest

__all__ = ["Gateway", "get", "made", "replaced"]

T = TypeVar("T")


class Gateway:
    """An account ready for use; one instance serves all threads of the process.

    What a hook's functions hold, and those that they call, is masked in Django's error reports:
    texts, numbers and credentials, whoever wrote the backend.
    """

    def __init__(
        self,
        *,
        alias: str,
        backend: str,
        plugin: object,
        extensions: Mapping[str, object],
        limits: conf.Account | None = None,
    ) -> None:
        self.alias = alias
        self.backend = backend
        self.plugin = plugin
        self.limits = limits or conf.Account(alias=alias, backend=backend)
        self.has_extensions = bool(extensions)
        self._extensions = list(extensions.values())
        self._manager = pluggy.PluginManager("djsms")
        self._manager.add_hookspecs(hookspecs)
        self._register(plugin, f"The backend {backend!r}")
        # pluggy calls the last one registered first, and the first one listed is the outermost.
        for path, extension in reversed(list(extensions.items())):
            self._register(extension, f"The extension {path!r}")

    @property
    def pool_size(self) -> int | None:
        """How many calls the backend is ready for at once; None if it does not say."""
        size = getattr(self.plugin, "pool_size", None)
        return size if type(size) is int and size > 0 else None

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks that the account can answer, in the order of the specification."""
        return tuple(hook for hook in plugins.HOOKS if self.supports(hook))

    def verifies(self, hook: str) -> bool:
        """Return whether the backend itself proves the requests for a hook, so no token is needed.

        Not if an extension may answer before it is asked.
        """
        claim = getattr(self.plugin, "verifies_webhooks", False)
        # Whatever else may stand there is no proof: a method in the place of the property is true
        # in itself, and a text holds many words.
        claims = hook in claim if isinstance(claim, Set) else claim is True
        return claims and len(self._answering(hook)) == 1

    @property
    def shares_address(self) -> bool:
        """Whether the provider has one address for status reports and incoming texts."""
        return getattr(self.plugin, "shares_address", False) is True

    @property
    def webhook_answer(self) -> tuple[str, str]:
        """The content type and the body that a webhook is answered with; none as a rule."""
        answer = getattr(self.plugin, "webhook_answer", None)
        match answer:
            case (str(content_type), str(body)):
                return content_type, body
        # The text is stored by then, and a slip must not have the provider send it again.
        return "", ""

    @property
    def chooses_originator(self) -> bool:
        """Whether the provider chooses the originator of a text for which nobody names one."""
        return getattr(self.plugin, "chooses_originator", False) is True

    @property
    def splits_texts(self) -> bool:
        """Whether the provider reports on each part of a long text by itself."""
        return getattr(self.plugin, "splits_texts", False) is True

    def supports(self, hook: str) -> bool:
        """Return whether the backend or an extension answers a hook."""
        return bool(self._answering(hook))

    def _answering(self, hook: str) -> list[pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return [impl for impl in caller.get_hookimpls() if not (impl.wrapper or impl.hookwrapper)]

    @sensitive_variables()
    def send(self, message: OutgoingText) -> SendResult:
        """Hand one message to the provider; errors as in the hook's specification."""
        self._require("send")
        result: SendResult = self._caller_of_send()(message=message)
        if problem := _problem(result):
            raise TypeError(
                f"send() of the backend {self.backend!r}{self._or_extension} returned {problem}; "
                "it must return a SendResult: SendResult.accepted(id), with the provider's id"
            )
        return result

    @sensitive_variables()
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        """Read the status reports in a request; errors as in the hook's specification."""
        self._require("parse_callback")
        return self._listed(
            "parse_callback", StatusReport, self._manager.hook.parse_callback(request=request)
        )

    @sensitive_variables()
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        """Read the incoming texts in a request; errors as in the hook's specification."""
        self._require("parse_incoming")
        return self._listed(
            "parse_incoming", IncomingText, self._manager.hook.parse_incoming(request=request)
        )

    def webhook_addresses(self, callback_url: str, incoming_url: str) -> dict[str, str]:
        """Return what to paste into the provider's settings, by the name it has there."""
        addresses = self._manager.hook.webhook_addresses(
            callback_url=callback_url, incoming_url=incoming_url
        )
        if addresses is not None:
            return dict(addresses)
        plain = {
            "status reports": callback_url if self.supports("parse_callback") else "",
            "incoming texts": incoming_url if self.supports("parse_incoming") else "",
        }
        return {name: url for name, url in plain.items() if url}

    def webhook_path(self, kind: addresses.Kind) -> str:
        """Return the path of the account's webhook in this project, with its token.

        ``kind`` is ``"callback"``, for status reports, or ``"incoming"``. For what plays the
        provider's part and calls the webhooks; treat it like a password. Raises ``NoReverseMatch``
        if the project's URLconf does not include ``djsms.urls``.
        """
        return addresses.webhook_path(self.alias, kind)

    def check(self, callback_url: str, incoming_url: str) -> list[CheckMessage]:
        """Return what the backend and the extensions find wrong with their configuration."""
        results = self._manager.hook.check(
            callback_url=callback_url, incoming_url=incoming_url, frm=self.limits.frm
        )
        return [message for messages in results for message in messages or ()]

    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        """Ask the provider how messages stand; errors as in the hook's specification."""
        self._require("fetch_reports")
        if rehearsing.is_rehearsal(self.alias, self.plugin):
            return []
        return self._listed(
            "fetch_reports", StatusReport, self._manager.hook.fetch_reports(messages=messages)
        )

    def fetch_balance(self) -> Balance:
        """Ask the provider for the account's credit; errors as in the hook's specification."""
        self._require("fetch_balance")
        if rehearsing.is_rehearsal(self.alias, self.plugin):
            raise TemporarilyUnavailable(
                "Under a test runner no provider is asked, unless DJSMS_SEND_IN_TESTS is on."
            )
        balance: Balance = self._manager.hook.fetch_balance()
        # The annotation promises it, and nobody holds a backend to it.
        answer: object = balance
        if not isinstance(answer, Balance):
            raise TypeError(
                f"fetch_balance() of the backend {self.backend!r}{self._or_extension} returned "
                f"{_kind(answer)}, not a Balance"
            )
        return balance

    def culprit_of_send(self, error: BaseException) -> str:
        """Return who failed with an error that ``send`` raised: the backend, or an extension."""
        found = raised_by(error, self._manager.hook.send.get_hookimpls())
        return found or f"The backend {self.backend!r}{self._or_extension}"

    @property
    def _or_extension(self) -> str:
        return " or an extension" if self.has_extensions else ""

    def _caller_of_send(self) -> pluggy.HookCaller:
        is_rehearsal = rehearsing.is_rehearsal(self.alias, self.plugin)
        caller: pluggy.HookCaller = (self._rehearsal if is_rehearsal else self._manager).hook.send
        return caller

    @cached_property
    def _rehearsal(self) -> pluggy.PluginManager:
        manager = pluggy.PluginManager("djsms")
        manager.add_hookspecs(hookspecs)
        manager.register(rehearsing.Understudy())
        for extension in reversed(self._extensions):
            manager.register(extension)
        return manager

    def _require(self, hook: str) -> None:
        if not self.supports(hook):
            raise NotSupported(
                f"The backend {self.backend!r} of the account {self.alias!r} has no {hook}()."
            )

    def _listed(self, hook: str, kind: type[T], values: object) -> list[T]:
        problem = "" if isinstance(values, list) else _kind(values)
        for value in values if isinstance(values, list) else ():
            if not isinstance(value, kind):
                problem = f"a list with {_kind(value)} in it"
        if problem:
            raise TypeError(
                f"{hook}() of the backend {self.backend!r}{self._or_extension} returned {problem}, "
                f"not a list of {kind.__name__}"
            )
        return cast("list[T]", values)

    def _register(self, plugin: object, culprit: str) -> None:
        try:
            self._manager.register(plugin, name=culprit)
        except pluggy.PluginValidationError as error:
            words = " ".join(str(error).split())
            raise BackendBroken(f"{culprit} does not fit the hooks: {words}") from None
        except ValueError:
            raise BackendBroken(f"{culprit} is there twice.") from None
        # pluggy's own check would do, but prints the plugin, and with it what it may hold.
        callers = self._manager.get_hookcallers(plugin)
        if not callers:
            raise BackendBroken(f"{culprit} implements no hook; are its methods marked @hookimpl?")
        for caller in callers:
            if not caller.has_spec():
                guess = difflib.get_close_matches(caller.name, plugins.HOOKS, n=1)
                hint = f" Did you mean {guess[0]!r}?" if guess else ""
                raise BackendBroken(f"{culprit} implements an unknown hook, {caller.name!r}.{hint}")


def get(alias: str = conf.DEFAULT_ALIAS) -> Gateway:
    """Return the gateway of an account, built once per process.

    Raises the errors of configuration: ``AccountNotFound``, ``BackendNotFound``, ``BackendBroken``,
    ``BackendConflict``, ``InvalidOptions``.
    """
    try:
        return _built[alias]
    except KeyError:
        pass
    with _lock:
        if alias not in _built:
            _built[alias] = _build(alias)
        return _built[alias]


def made(alias: str) -> object | None:
    """Return a backend as the settings ask for it, also where another stands in for it.

    None if it cannot be made.
    """
    try:
        account = conf.account(alias)
        return _construct(account, plugins.load(account.backend))
    except ImproperlyConfigured:
        return None


@contextmanager
def replaced(make: Callable[[str], object | None]) -> Iterator[None]:
    """Let ``make(alias)`` stand in for the backend of every account, whatever the settings say.

    Where it returns None the settings hold.
    """
    global _stand_in
    before, _stand_in = _stand_in, make
    clear()
    try:
        yield
    finally:
        _stand_in = before
        clear()


def clear() -> None:
    """Forget the gateways, so that each is built anew at its next use."""
    _built.clear()


def _start_anew() -> None:
    """Begin as a child: without the parent's connections, and a lock that its threads may hold."""
    global _lock
    _lock = threading.RLock()
    clear()


_built: dict[str, Gateway] = {}
_lock = threading.RLock()
_stand_in: Callable[[str], object | None] | None = None

if hasattr(os, "register_at_fork"):  # pragma: no branch  (Windows has no fork)
    os.register_at_fork(after_in_child=_start_anew)


def _build(alias: str) -> Gateway:
    # Not needed here, but when a message is on its way it is too late to find it wrong.
    conf.base_url()
    stand_in = _stand_in(alias) if _stand_in is not None else None
    if stand_in is not None:
        return Gateway(
            alias=alias,
            backend="memory",
            plugin=stand_in,
            extensions=_extensions(),
            limits=_limits_in_tests(alias),
        )
    account = conf.account(alias)
    factory = plugins.load(account.backend)
    return Gateway(
        alias=alias,
        backend=account.backend,
        plugin=_plugin(account, factory),
        extensions=_extensions(),
        limits=account,
    )


def _limits_in_tests(alias: str) -> conf.Account | None:
    try:
        return conf.account(alias)
    except AccountNotFound:
        # Code under test needs no settings to send by the default account.
        if alias != conf.DEFAULT_ALIAS:
            raise
        return None


def _plugin(account: conf.Account, factory: Any) -> object:
    # Asked at any rate, and so remembered where tests leave the sending to a thread after them.
    is_rehearsal = rehearsing.is_rehearsal(account.alias, None)
    try:
        return _construct(account, factory)
    except InvalidOptions:
        if not is_rehearsal:
            raise
        # Where nothing is sent, credentials may be missing.
        return rehearsing.Understudy()


def _construct(account: conf.Account, factory: Any) -> object:
    culprit = f"The backend {account.backend!r} of the account {account.alias!r}"
    if not callable(factory):
        raise BackendBroken(
            f"{culprit} is of type {type(factory).__name__}; its entry point must name a class."
        )
    options = _options(account, factory, culprit)
    try:
        plugin: object = factory(**options)
    except (BackendNotFound, BackendBroken, BackendConflict):
        raise
    except (ImproperlyConfigured, TypeError, ValueError) as error:
        words = _masked(str(error), factory, options)
        # A traceback would show what the words hide.
        cause = error if words == str(error) else None
        raise InvalidOptions(f"{culprit} does not take its options: {words}") from cause
    except Exception as error:
        raise BackendBroken(f"{culprit} cannot be made: {type(error).__name__}") from error
    return plugin


def _options(account: conf.Account, factory: Any, culprit: str) -> dict[str, Any]:
    """Return the account's options, completed from the flat settings, if they fit."""
    parameters = _parameters(factory, culprit)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    options = dict(account.options)
    for name in options:
        if name not in named and not takes_any:
            guess = difflib.get_close_matches(name, named, n=1)
            hint = f" Did you mean {guess[0]!r}?" if guess else ""
            known = ", ".join(map(repr, named)) or "none"
            raise InvalidOptions(f"{culprit} has no option {name!r} (it has: {known}).{hint}")
    for name in named.keys() - options.keys():
        value = conf.flat_option(account.backend, name)
        if value is not conf.MISSING:
            options[name] = value
    missing = [
        name
        for name, parameter in named.items()
        if parameter.default is parameter.empty and name not in options
    ]
    if missing:
        names = ", ".join(map(repr, missing))
        settings = ", ".join(conf.flat_name(account.backend, name) for name in missing)
        raise InvalidOptions(
            f"{culprit} lacks {names}: give it in {conf.place(account.alias, 'OPTIONS')}, or set "
            f"{settings}."
        )
    return options


def _masked(words: str, factory: Any, options: Mapping[str, Any]) -> str:
    """Return the words without the values of options that a dataclass keeps out of its repr."""
    for field in getattr(factory, "__dataclass_fields__", {}).values():
        value = options.get(field.name)
        if not field.repr and value:
            words = words.replace(str(value), "***")
    return words


def _parameters(factory: Any, culprit: str) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(factory).parameters
    except (TypeError, ValueError) as error:
        raise BackendBroken(f"{culprit}: its options cannot be read: {error}") from error


def _extensions() -> dict[str, object]:
    return {path: _extension(path) for path in conf.extensions()}


def _extension(path: str) -> object:
    try:
        return import_string(path)()
    except Exception as error:
        raise BackendBroken(
            f"The extension {path!r} cannot be made: {type(error).__name__}: {error}"
        ) from error


def _problem(result: object) -> str:
    """Return what is wrong with the answer of a send hook; empty if nothing is."""
    if not isinstance(result, SendResult):
        return _kind(result)
    # The annotations promise what follows, and nobody holds a backend to them.
    parts: Any = result.parts
    currency: Any = result.currency
    if not isinstance(parts, tuple | list):
        return f"a SendResult with {_kind(parts)} for its parts"
    if not parts:
        return "a SendResult without parts"
    for part in parts:
        if not isinstance(part, SentPart):
            return f"a SendResult with {_kind(part)} for a part"
    if not isinstance(currency, str):
        return f"a SendResult with {_kind(currency)} for its currency"
    return ""


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


@receiver(setting_changed)
def _rebuild(*, setting: str, **kwargs: Any) -> None:
    prefixes = {conf.flat_name(gateway.backend, "") for gateway in _built.values()}
    if setting.startswith(("DJSMS_", *prefixes)):
        clear()
