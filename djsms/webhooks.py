"""Reading what a provider's webhook carries, whatever shape it comes in, without surprises."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote

from djsms import conf
from djsms.exceptions import Forged, InvalidWebhook, Misdirected
from djsms.types import Status, StatusReport

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = [
    "json_object",
    "json_objects",
    "parameter_bytes",
    "parameter_lists",
    "parameters",
    "public_url",
    "read_each",
]

logger = logging.getLogger("djsms")

T = TypeVar("T")

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
MAX_PARAMETERS = 200
# Far below Python's limits, so that whoever walks or stores what was read cannot hit them.
MAX_DEPTH = 32


class Parameters(dict[str, T]):
    """Parameters by name, of which one that is in doubt cannot be read, and does no harm unread.

    Taken as a whole, as for the ``raw`` of a value, a name that came more than once has the list of
    its values.
    """

    __slots__ = ("_doubts",)

    def __init__(self, values: Mapping[str, Any], doubts: Mapping[str, str]) -> None:
        super().__init__(values)
        self._doubts = doubts

    def __getitem__(self, name: str) -> T:
        self._refuse_doubt(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._refuse_doubt(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        self._refuse_doubt(name)
        return super().pop(name, *default)

    def _refuse_doubt(self, name: str) -> None:
        if name in self._doubts:
            raise InvalidWebhook(f"The parameter {name[:40]!r} {self._doubts[name]}.")


def parameters(request: HttpRequest, *, errors: str = "strict") -> dict[str, str]:
    """Return the request's parameters as text: of a GET's query, a POST's form or a JSON object.

    Values are exactly as they came: nothing is stripped; numbers in JSON keep their digits
    (``0.0330`` stays ``"0.0330"``), booleans become ``true`` and ``false``, nulls are left out. A
    body that begins with a brace is read as JSON even if it calls itself a form.

    ``errors="replace"`` makes U+FFFD of bytes that are no UTF-8, for providers that hand on what
    others wrote.

    Raises ``InvalidWebhook`` for anything unreadable. What comes more than once, is nested or is no
    UTF-8 raises it only when its name is read: by ``[…]``, ``get`` or ``pop``. Other names do no
    harm, and the whole can be kept as ``raw``.
    """
    if request.method == "POST" and _is_json(request):
        return _texts(_object(_parse_json(_body(request), _KEEPING)))
    values: dict[str, Any] = {}
    doubts: dict[str, str] = {}
    for name, given in _by_name(_pairs(request)).items():
        try:
            texts = [value.decode("utf-8", errors) for value in given]
        except UnicodeDecodeError:
            texts = [value.decode("utf-8", "replace") for value in given]
            doubts[name] = "is not UTF-8"
        values[name] = _alone(name, texts, doubts)
    return Parameters(values, doubts)


def parameter_lists(request: HttpRequest) -> dict[str, list[str]]:
    """Return the request's parameters with all values of each name, in the order they came.

    For providers that repeat a name, as for each picture of a message, and for signatures that
    cover every value. Read as ``parameters`` reads; a JSON object has one value a name.
    Raises ``InvalidWebhook`` for bad UTF-8 and anything unreadable.
    """
    if request.method == "POST" and _is_json(request):
        found = parameters(request)
        return {name: [found[name]] for name in found}
    try:
        return {
            name: [value.decode("utf-8") for value in given]
            for name, given in _by_name(_pairs(request)).items()
        }
    except UnicodeDecodeError as error:
        raise InvalidWebhook("A parameter is not UTF-8.") from error


def parameter_bytes(request: HttpRequest) -> dict[str, bytes]:
    """Return the parameters of a GET's query or a POST's form as the bytes that were sent.

    For providers that put other encodings than UTF-8 into their addresses. A multipart form has
    been decoded already, by its own charset; what this does not know has become U+FFFD.
    Raises ``InvalidWebhook`` for anything unreadable, and as ``parameters`` for a name that came
    more than once when it is read.
    """
    values: dict[str, Any] = {}
    doubts: dict[str, str] = {}
    for name, given in _by_name(_pairs(request)).items():
        values[name] = _alone(name, given, doubts)
    return Parameters(values, doubts)


def json_object(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the request's body.

    Raises ``InvalidWebhook`` for anything else, for repeated names, as which of them counts would
    be anybody's guess, and for what cannot be stored as JSON again: numbers beyond a float's range
    and values nested more than 32 deep.
    """
    return _object(_parse_json(_body(request), _STRICT))


def json_objects(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the JSON objects in the request's body: of a list of them, or of one alone.

    For providers that bring several reports at once. Raises ``InvalidWebhook`` as ``json_object``.
    """
    value = _parse_json(_body(request), _STRICT)
    return [_object(item) for item in (value if isinstance(value, list) else [value])]


def read_each(entries: Iterable[T], read: Callable[[T], StatusReport | None]) -> list[StatusReport]:
    """Read a request's status reports one by one, so that an unreadable one loses no others.

    ``read`` returns the report in one entry, or None if it reports nothing. An entry for which it
    raises is logged with its index, counted from 1, and becomes a report of no message, kept with
    the entry in ``raw``. ``Forged`` and ``Misdirected`` are about the request, and are raised; so
    is the first error if no entry can be read.
    """
    reports: list[StatusReport] = []
    failures: list[Exception] = []
    for number, entry in enumerate(entries, start=1):
        try:
            report = read(entry)
        except (Forged, Misdirected):
            raise
        except Exception as error:
            # A slip of the backend's as well: the provider would come again with all, for days.
            is_slip = not isinstance(error, InvalidWebhook)
            logger.warning("Status report %d cannot be read: %s", number, error, exc_info=is_slip)
            failures.append(error)
            report = _unreadable(entry, error)
        reports += [report] if report is not None else []
    if failures and len(failures) == len(reports):
        raise failures[0]
    return reports


def _unreadable(entry: object, error: Exception) -> StatusReport:
    written = json.dumps(entry, skipkeys=True, default=str)
    return StatusReport(
        status=Status.UNKNOWN,
        provider_status="unreadable",
        # What tells it from others, and not from its own repeat.
        error_code=hashlib.sha256(written.encode()).hexdigest()[:32],
        error_text=str(error) if isinstance(error, InvalidWebhook) else type(error).__name__,
        raw={"unreadable": entry},
    )


def public_url(request: HttpRequest) -> str:
    """Return the address that the provider called: what signatures over an address cover.

    Scheme, host and the path that the project lies under come from ``DJSMS_BASE_URL``, since a
    proxy may have changed them on the way; without that setting, from the request. The rest of the
    path and the query are as they came, letter by letter, as far as the server tells them so.
    Raises ``InvalidWebhook`` for bytes that are no UTF-8.
    """
    script = request.path.removesuffix(request.path_info)
    base = conf.base_url() or f"{request.scheme}://{request.get_host()}{quote(script)}"
    try:
        query = _query(request).encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidWebhook("The address is not UTF-8.") from error
    return base + _path_as_it_came(request, script) + (f"?{query}" if query else "")


def _path_as_it_came(request: HttpRequest, script: str) -> str:
    # Django has decoded the path. How it was written is told by ASGI, and by gunicorn and uWSGI in
    # variables of their own; a proxy may have taken the script's part off, or put it on.
    raw = getattr(request, "scope", {}).get("raw_path") or b""
    told = (raw.decode("latin-1"), *(request.META.get(n, "") for n in ("RAW_URI", "REQUEST_URI")))
    for address in told:
        path = address.partition("?")[0].removeprefix(quote(script))
        if path and unquote(path) == request.path_info:
            return str(path)
    return quote(request.path_info, safe="/:@&+$,;=!*'()~")


def _pairs(request: HttpRequest) -> list[tuple[str, bytes]]:
    if request.method != "POST":
        return _split(_query(request))
    if request.content_type == MULTIPART:
        return _multipart(request)
    return _split(_body(request).decode("latin-1"))


def _is_json(request: HttpRequest) -> bool:
    if request.content_type == MULTIPART:
        return False
    return request.content_type != FORM or _body(request).lstrip()[:1] == b"{"


def _body(request: HttpRequest) -> bytes:
    from django.http import RawPostDataException, UnreadablePostError

    try:
        return request.body
    except (RawPostDataException, UnreadablePostError) as error:
        raise InvalidWebhook(f"The body cannot be read: {error}") from error


def _query(request: HttpRequest) -> str:
    query: str = request.META.get("QUERY_STRING", "")
    # Bytes that should have been percent-encoded: WSGI hands them on as Latin-1, ASGI as UTF-8.
    return query.encode().decode("latin-1") if hasattr(request, "scope") else query


def _split(query: str) -> list[tuple[str, bytes]]:
    # Latin-1 maps every byte to one character and back, so the percent-decoded bytes survive.
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, encoding="latin-1", max_num_fields=MAX_PARAMETERS
        )
        return [
            (name.encode("latin-1").decode("utf-8", "replace"), value.encode("latin-1"))
            for name, value in pairs
        ]
    except ValueError as error:
        raise InvalidWebhook(f"The parameters cannot be read: {error}") from error


def _multipart(request: HttpRequest) -> list[tuple[str, bytes]]:
    from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
    from django.http import UnreadablePostError
    from django.http.multipartparser import MultiPartParserError

    try:
        fields = request.POST
    except RequestDataTooBig:
        raise
    except (
        MultiPartParserError,
        SuspiciousOperation,
        UnreadablePostError,
        ValueError,
        LookupError,  # a charset that is none
    ) as error:
        raise InvalidWebhook(f"The form cannot be read: {error}") from error
    return [
        (name, str(value).encode("utf-8", "surrogatepass"))
        for name, values in fields.lists()
        for value in values
    ]


def _by_name(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    lists: dict[str, list[T]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def _alone(name: str, given: list[T], doubts: dict[str, str]) -> T | list[T]:
    if len(given) == 1:
        return given[0]
    doubts[name] = "occurs more than once"
    return given


def _parse_json(body: bytes, decoder: json.JSONDecoder) -> object:
    try:
        value: object = decoder.decode(body.decode("utf-8-sig"))
    except InvalidWebhook:
        raise
    except UnicodeDecodeError as error:
        raise InvalidWebhook("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        # No JSON, or an integer of more digits than Python converts.
        raise InvalidWebhook(f"The body cannot be read as JSON: {error}") from error
    _refuse_deeper(value, MAX_DEPTH)
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidWebhook("The body is JSON, but not an object.")
    return value


def _texts(found: dict[str, Any]) -> Parameters[str]:
    values: dict[str, Any] = {}
    doubts = dict(found._doubts) if isinstance(found, Parameters) else {}
    for name, value in found.items():
        if isinstance(value, dict | list):
            doubts.setdefault(name, "is not a single one")
        if value is not None:
            values[name] = str(value).lower() if isinstance(value, bool) else value
    return Parameters(values, doubts)


def _kept(pairs: list[tuple[str, Any]]) -> Parameters[Any]:
    doubts: dict[str, str] = {}
    return Parameters(
        {name: _alone(name, given, doubts) for name, given in _by_name(pairs).items()}, doubts
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise InvalidWebhook("A name occurs more than once in the JSON.")
    return values


def _refuse_constant(name: str) -> None:
    raise InvalidWebhook(f"The body holds {name}, which is not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise InvalidWebhook("The body holds a number that is too large.")
    return number


# Made once: json.loads would make one for each body, which takes as long as a body's reading.
_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse_constant
)
_KEEPING = json.JSONDecoder(
    object_pairs_hook=_kept, parse_int=str, parse_float=str, parse_constant=_refuse_constant
)


def _refuse_deeper(value: Any, levels: int) -> None:
    if not isinstance(value, dict | list):
        return
    if not levels:
        raise InvalidWebhook(f"The body is nested more than {MAX_DEPTH} deep.")
    for inner in value.values() if isinstance(value, dict) else value:
        _refuse_deeper(inner, levels - 1)
