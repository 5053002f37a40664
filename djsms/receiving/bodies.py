"""The body of a webhook request: whole, of no more than a limit, or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import RawPostDataException, UnreadablePostError

from djsms.exceptions import InvalidWebhook

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["MAX_BODY", "LengthRequired", "read_whole"]

MAX_BODY = 1024 * 1024  # bytes; a text message and all that is said about it takes a few thousand


class LengthRequired(InvalidWebhook):
    """The body came in chunks, and the server does not tell where it ends."""


def read_whole(request: HttpRequest) -> None:
    """Read the request's body, so that ``request.body`` is all of it, also if it came in chunks.

    Raises ``RequestDataTooBig`` for one of more than 1 MiB or than the project's own limit, without
    reading it; ``LengthRequired``; and ``InvalidWebhook`` for one that ended before its length.
    """
    if request.method != "POST":
        return
    length = _declared_length(request)
    if length is not None:
        if length > _limit():
            raise RequestDataTooBig
        _read_declared(request, length)
    elif hasattr(request, "scope"):
        # An ASGI server hands over whole requests alone.
        _read_undeclared(request, request)
    elif request.META.get("wsgi.input_terminated"):
        _read_undeclared(request, request.META["wsgi.input"])
    elif "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired("The body came in chunks, which this server does not put together.")


def _declared_length(request: HttpRequest) -> int | None:
    given = request.META.get("CONTENT_LENGTH") or ""
    if not given:
        return None
    if not (given.isascii() and given.isdecimal()):
        raise InvalidWebhook("Content-Length is not a number.")
    # Of a body in chunks the length is what somebody on the way filled in, and the chunks count.
    is_chunked = "HTTP_TRANSFER_ENCODING" in request.META
    is_put_together = bool(request.META.get("wsgi.input_terminated"))
    return None if is_chunked and (is_put_together or int(given) == 0) else int(given)


def _limit() -> int:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return MAX_BODY if limit is None else min(limit, MAX_BODY)


def _read_declared(request: HttpRequest, length: int) -> None:
    try:
        size = len(request.body)
    except (RawPostDataException, UnreadablePostError) as error:
        raise InvalidWebhook(f"The body cannot be read: {error}") from error
    if size > _limit():
        raise RequestDataTooBig
    if size != length:
        raise InvalidWebhook(
            f"The body breaks off after {size} of the {length} bytes that were announced."
        )


def _read_undeclared(request: Any, stream: Any) -> None:
    # A middleware may have read it before us.
    body = getattr(request, "_body", b"") or _read(stream)
    if len(body) > _limit():
        raise RequestDataTooBig
    # Without its length Django's readers of forms would take it for empty.
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._body = body
    for name in ("_post", "_files"):
        request.__dict__.pop(name, None)


def _read(stream: Any) -> bytes:
    """Read to the end, or to one byte beyond the limit."""
    most = _limit() + 1
    body = b""
    try:
        # A read may bring less than it was asked for.
        while len(body) < most and (more := stream.read(most - len(body))):
            body += more
    except OSError as error:
        raise InvalidWebhook(f"The body cannot be read: {error}") from error
    return body
