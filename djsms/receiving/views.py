"""The webhook views: believe, read, store, answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Literal, TypeAlias, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig, SuspiciousOperation
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from djsms import conf
from djsms.accounts import addresses, gateways
from djsms.accounts.gateways import Gateway
from djsms.exceptions import AccountNotFound, Forged, Misdirected
from djsms.observing.facts import Webhook
from djsms.observing.observers import around
from djsms.receiving.bodies import LengthRequired, read_whole
from djsms.receiving.incoming import release_parts, take_text
from djsms.receiving.reports import take_reports
from djsms.receiving.rotation import tell_of_old_token

__all__ = ["callback", "incoming"]

logger = logging.getLogger("djsms")

METHODS = ("GET", "HEAD", "POST")
RELEASE_LIMIT = 20

T = TypeVar("T")
View: TypeAlias = Callable[..., HttpResponse]
Hook: TypeAlias = Literal["parse_callback", "parse_incoming"]


def webhook(view: View) -> View:
    """Make a view that providers call: no login, no CSRF token, no cache, no transaction around."""
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return csrf_exempt(login_not_required(_quiet(view)))


def _quiet(view: View) -> View:
    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> HttpResponse:
        response = view(*args, **kwargs)
        # Django logs the address of what it answers with an error, and the token is in it; what is
        # wrong has been logged here.
        response._has_been_logged = True  # type: ignore[attr-defined]
        # It is enough. never_cache says more, and takes as long as all else of this view.
        response.headers["Cache-Control"] = "no-store"
        return response

    return wrapper


@webhook
def callback(request: HttpRequest, account: str = "default", token: str = "") -> HttpResponse:
    """Take the status reports in a request."""
    return _observed(request, account, token, "parse_callback")


@webhook
def incoming(request: HttpRequest, account: str = "default", token: str = "") -> HttpResponse:
    """Take the incoming texts in a request."""
    return _observed(request, account, token, "parse_incoming")


def _observed(request: HttpRequest, account: str, token: str, hook: Hook) -> HttpResponse:
    facts = Webhook(account="", hook=hook)
    with around(facts):
        response = _answer(request, account, token, hook)
        facts.status = response.status_code
        facts.account = _named(account)
    return response


def _named(account: str) -> str:
    """Return an account's name if the settings have it, else none.

    Anybody can make up names, and each would be another figure.
    """
    try:
        return account if account in conf.aliases() else ""
    except ImproperlyConfigured:
        return ""


def _answer(request: HttpRequest, account: str, token: str, hook: Hook) -> HttpResponse:
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    try:
        gateway = gateways.get(account)
        if not gateway.supports(hook):
            return HttpResponse(status=404)
        _believe(request, gateway, hook, token)
        if not _is_probe(request):
            read_whole(request)
            _take(request, gateway, hook, token)
    except AccountNotFound:
        return HttpResponse(status=404)
    except Forged as error:
        logger.warning("Webhook of account %s not believed: %s", account, error)
        return HttpResponse(status=403)
    except RequestDataTooBig:
        logger.warning("Webhook of account %s too large", account)
        return HttpResponse(status=413)
    except LengthRequired as error:
        logger.warning("Webhook of account %s without its length: %s", account, error)
        return HttpResponse(status=411)
    except SuspiciousOperation as error:
        logger.warning("Webhook of account %s not readable: %s", account, error)
        return HttpResponse(status=400)
    except Exception:
        logger.exception("Webhook of account %s failed", account)
        return HttpResponse(status=500)
    content_type, body = gateway.webhook_answer
    return HttpResponse(body, content_type=content_type or None)


def _take(request: HttpRequest, gateway: Gateway, hook: Hook, token: str) -> None:
    try:
        _READERS[hook](request, gateway)
    except Misdirected:
        other: Hook = "parse_incoming" if hook == "parse_callback" else "parse_callback"
        if not gateway.supports(other):
            raise
        _believe(request, gateway, other, token)
        if not gateway.shares_address:
            logger.warning(
                "Account %s: the provider has its two webhook addresses swapped", gateway.alias
            )
        _READERS[other](request, gateway)


def _take_reports(request: HttpRequest, gateway: Gateway) -> None:
    take_reports(gateway.alias, gateway.parse_callback(request))


def _take_texts(request: HttpRequest, gateway: Gateway) -> None:
    take = partial(take_text, gateway.alias, gateway.backend)
    _take_each(gateway.parse_incoming(request), take)
    _release_late_parts()


def _take_each(values: list[T], take: Callable[[T], None]) -> None:
    """Take all, also those after one that fails; then raise what the first one raised."""
    failure: Exception | None = None
    for value in values:
        try:
            take(value)
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure


_READERS: dict[Hook, Callable[[HttpRequest, Gateway], None]] = {
    "parse_callback": _take_reports,
    "parse_incoming": _take_texts,
}


def _believe(request: HttpRequest, gateway: Gateway, hook: Hook, token: str) -> None:
    """Raise ``Forged`` for a wrong token, or for none if the backend will not prove the request."""
    if token:
        if not addresses.bears_token(gateway.alias, token):
            raise Forged("The token in the address is wrong.")
        tell_of_old_token(gateway.alias, hook, token)
    elif not (gateway.verifies(hook) or conf.allow_unverified_webhooks()):
        raise Forged("There is no token.")


def _is_probe(request: HttpRequest) -> bool:
    """Return whether it only asks if somebody is there, as before a provider takes an address."""
    if request.method == "GET":
        return not request.META.get("QUERY_STRING", "").strip("&")
    return request.method == "HEAD"


def _release_late_parts() -> None:
    # What is wrong with others' parts must not spoil the answer for this text, which is stored.
    try:
        release_parts(RELEASE_LIMIT)
    except Exception:
        logger.exception("Late parts could not be looked for")
