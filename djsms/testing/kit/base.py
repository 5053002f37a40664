"""What an author says of a backend, and the fixtures that all tests of the kit share."""

from __future__ import annotations

import inspect
import os
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from djsms import segments
from djsms.testing.answers import Answer, Received
from djsms.testing.kit import certificates, hooks, network
from djsms.testing.kit.bounded import bounded
from djsms.testing.kit.words import fail, require
from djsms.testing.provider import Provider
from djsms.testing.recorded import Recorded
from djsms.types import Balance, OutgoingText, SentText, StatusReport

__all__ = ["OMITTED", "SLACK", "Kit", "Make", "Scripted"]

Make: TypeAlias = Callable[..., Any]
Scripted: TypeAlias = "Answer | Callable[[Received], Answer]"

RECIPIENT = "+447700900001"

SLACK = 2.0
"""Seconds by which a call may be late on a machine that has much to do."""

LIMITS = {"timeout": 0.3, "deadline": 0.6}
"""What options with these names are set to where the provider does not answer."""

OMITTED = object()
"""In place of an option, for ``make``: without it."""


class Kit:
    """What the author of a backend fills in. Each part says which tests use it."""

    name: str = ""
    """The backend's name: what its entry point is called and ``DJSMS_BACKEND`` says."""

    answers: Mapping[str, Scripted | Sequence[Scripted]] = {}
    """What the provider answers, for a backend that sends over HTTP: by outcome, an ``Answer``, or
    a function that makes one for a request, or a list of these, each of which is tried.
    ``"accepted"`` must be there; ``"refused"``, ``"throttled"`` and the other outcomes in
    ``djsms.testing.kit.outcomes.OUTCOMES`` where the provider has such an answer. Put ``NEW_ID``
    where the provider's id of the message stands.

    ``"token"`` is what it answers to a call for a token, with ``NEW_ID`` in the token;
    ``"reports"`` and ``"balance"`` what it answers to ``fetch_reports`` and ``fetch_balance``.
    Without any, the backend counts as a local one and the tests with a provider are skipped."""

    secrets: Sequence[str] | None = None
    """The names of the options that nobody may see. None, the default: the dataclass fields with
    ``repr=False`` and all whose name says so (password, secret, token, key)."""

    proofs: Sequence[str] | None = None
    """The names of the options that are keys or secrets which prove webhooks, public keys among
    them. None, the default, finds them as it finds ``secrets``. For an option that takes several,
    let the fixture ``options`` give two."""

    extra: Mapping[str, Any] = {}
    """Provider-specific extras that the backend understands, to be tried in a send."""

    patience: float = 5.0
    """Seconds within which a call must end although the provider does not answer. Options named
    ``timeout`` and ``deadline`` are set shorter for that test; raise this for a backend with a
    longer limit of its own."""

    callback_samples: Sequence[Recorded] = ()
    """Requests with status reports as the provider sends them, with the expected values; if the
    backend has ``verifies_webhooks``, ``sign`` signs those that are not."""

    incoming_samples: Sequence[Recorded] = ()
    """Requests with incoming texts as the provider sends them; as ``callback_samples``."""

    forged_callbacks: Sequence[Recorded] = ()
    """Requests with status reports that must be ``Forged``, besides those that the kit makes of the
    samples if the backend has ``verifies_webhooks``."""

    forged_incoming: Sequence[Recorded] = ()
    """Requests with incoming texts that must be ``Forged``; as ``forged_callbacks``."""

    expected_reports: Sequence[StatusReport] = ()
    """What ``fetch_reports`` is to return for ``answers["reports"]``."""

    expected_balance: Balance | None = None
    """What ``fetch_balance`` is to return for ``answers["balance"]``."""

    unsigned: Sequence[str] = ()
    """What the provider's signature does not cover: names of parameters, of headers, and of parts
    of a header, such as ``v`` in ``v=1,sig=…``."""

    # Fixtures to override.

    @pytest.fixture
    def options(self) -> Mapping[str, Any]:
        """Return the options to make the backend with; override it for one that needs any.

        Take the fixture ``provider`` to point the backend to ``provider.url``. Give secrets long
        values, such as occur nowhere else, and timeouts short ones.
        """
        return {}

    def is_send(self, request: Received) -> bool:
        """Return whether a request hands over a message. By default each that asks for no token.

        Those that do are counted, hung up on, refused. Others are given the answer ``"accepted"``,
        which then must be a function that looks at the request.
        """
        return not self.is_token_call(request)

    def is_token_call(self, request: Received) -> bool:
        """Return whether a request asks for a token; it is answered by ``answers["token"]``.

        By default, if there is such an answer, each with ``token`` or ``auth`` in its path.
        """
        path = request.path.lower()
        return "token" in self.answers and ("token" in path or "auth" in path)

    def sign(self, request: Recorded) -> Recorded:
        """Return the request with the provider's signature.

        Override it for a backend with ``verifies_webhooks``: so nonsense gets past the check of
        signatures, to where it may do harm, and the kit knows which part of a request to forge.
        It is handed requests of any kind, also some that no provider could sign; return these as
        they are. If a time is signed as well, override ``sign_at`` in its place.
        """
        return self.sign_at(request, datetime.now(UTC))

    def sign_at(self, request: Recorded, moment: datetime) -> Recorded:
        """Return the request as the provider signs it at a time, where the signature covers that.

        Then the kit tries signatures of long ago, and of the future: both must be ``Forged``.
        """
        return request

    def message(self, **fields: Any) -> OutgoingText:
        """Return a message to send; override it for a backend that cannot do without an extra."""
        text = fields.get("text", "Hello")
        encoding, count = segments.count(text)
        defaults = {
            "ref": uuid.uuid4().hex,
            "text": text,
            "frm": "+447700900000",
            "to": RECIPIENT,
            "encoding": encoding,
            "segments": count,
        }
        return OutgoingText(**{**defaults, **fields})

    def sent(self, **fields: Any) -> SentText:
        """Return a message to ask about by ``fetch_reports``; override it for other ids."""
        defaults = {
            "ref": uuid.uuid4().hex,
            "to": RECIPIENT,
            "frm": "+447700900000",
            "attempted_on": datetime(2026, 3, 29, 12, tzinfo=UTC),
            "provider_ids": ("kit-1",),
        }
        return SentText(**{**defaults, **fields})

    # Fixtures of the kit.

    @pytest.fixture(autouse=True)
    def _settings(self) -> None:
        """Configure Django, as bare as can be, if nobody has: requests cannot do without."""
        from django.conf import settings

        if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
            settings.configure(SECRET_KEY="for tests only", USE_TZ=True, DATABASES={})

    @pytest.fixture(autouse=True)
    def _loopback_only(self) -> Iterator[None]:
        """Fail a test in which the backend reaches for the network beyond this machine."""
        with network.refused(loopback=False) as attempts:
            yield
        if attempts:
            fail(
                f"The backend reached for {', '.join(map(repr, attempts))}, and a test must not "
                "leave this machine. Point the backend to provider.url in the fixture options."
            )

    _stub: Provider | None = None

    @pytest.fixture
    def provider(self, request: pytest.FixtureRequest) -> Iterator[Provider]:
        """The stubbed provider, which accepts everything if ``answers`` says how."""
        kind = getattr(request, "param", None)
        with Provider(certificates.context(kind) if kind else None) as provider:
            self._stub = provider
            if accepted := self.scripted("accepted"):
                provider.respond(accepted[0])
                provider.respond(accepted[0], to=self._is_neither)
            if token := self.scripted("token"):
                provider.respond(token[0], to=self.is_token_call)
            yield provider
        for error in provider.errors:
            raised = "".join(traceback.format_exception(error))
            fail(f"The stubbed provider gave no answer, since making one failed:\n{raised}")

    def _is_neither(self, request: Received) -> bool:
        return not self.is_send(request)

    @pytest.fixture
    def factory(self) -> Any:
        """The class of the backend, found by its entry point."""
        require(self.name, f"Set name = … in {type(self).__name__} to the backend's name.")
        entries = hooks.entry_points(self.name)
        if not entries:
            fail(
                f"No installed distribution has a backend named {self.name!r}. Give pyproject.toml "
                f'[project.entry-points."djsms.backends"] with {self.name} = "package:Class", '
                "and install it: pip install -e ."
            )
        return entries[0].load()

    @pytest.fixture
    def make(self, factory: Any, options: Mapping[str, Any]) -> Iterator[Make]:
        """A function that makes the backend with ``options``, changed by its arguments."""
        made = []

        def make(**changes: Any) -> Any:
            chosen = {**options, **changes}.items()
            backend = factory(**{name: value for name, value in chosen if value is not OMITTED})
            made.append(backend)
            return backend

        yield make
        for backend in made:
            _close(backend)

    @pytest.fixture
    def backend(self, make: Make) -> Any:
        """The backend, made with ``options``."""
        return make()

    # For the tests.

    def scripted(self, outcome: str) -> list[Scripted]:
        """Return each of the provider's answers with this outcome."""
        given = self.answers.get(outcome, ())
        return [given] if isinstance(given, Answer) or callable(given) else list(given)

    def send(
        self, backend: Any, message: OutgoingText | None = None, *, seconds: float | None = None
    ) -> Any:
        """Send one message, which ends in time, and return what the backend does."""
        return self.call(backend, "send", seconds=seconds, message=message or self.message())

    def call(
        self, backend: Any, hook: str, *, seconds: float | None = None, **arguments: Any
    ) -> Any:
        """Call a hook that may ask the provider; fail the test if it does not end."""
        return bounded(
            lambda: hooks.call(backend, hook, **arguments),
            f"{hook}()",
            seconds=self.patience + SLACK if seconds is None else seconds,
            provider=self._stub,
        )

    def impatient(self, factory: Any) -> tuple[dict[str, float], float]:
        """Return options for short limits, and the seconds within which a call must then end."""
        parameters = inspect.signature(factory).parameters
        limits = {name: seconds for name, seconds in LIMITS.items() if name in parameters}
        if not limits:
            return {}, self.patience
        return limits, (max(limits.values()) if len(limits) > 1 else LIMITS["deadline"]) + SLACK

    def verifies(self, backend: Any, hook: str) -> bool:
        """Return whether the backend says that it proves requests for this hook."""
        verifies = getattr(backend, "verifies_webhooks", False)
        return hook in verifies if isinstance(verifies, Set) else bool(verifies)

    def need(self, backend: Any, hook: str) -> None:
        """Skip the test if the backend does not implement a hook, or not yet."""
        method = hooks.implemented(backend).get(hook)
        if method is None:
            pytest.skip(f"{self.name} does not implement {hook}()")
        if not hooks.is_written(method):
            pytest.skip(f"{hook}() is still to be written")

    def need_provider(self, backend: Any) -> None:
        """Skip the test if the backend has no provider behind it."""
        self.need(backend, "send")
        if self.answers:
            require(
                "accepted" in self.answers,
                'answers lacks "accepted": say what the provider answers to a message it takes.',
            )
            return
        if _speaks_http(backend):
            fail(
                "The backend sends over HTTP, but answers is empty. Say what its provider answers: "
                'answers = {"accepted": Answer(200, {"id": NEW_ID}), "refused": Answer(…), '
                '"throttled": Answer(…)}'
            )
        pytest.skip(f"{self.name} has no provider behind it: answers is empty")


def _speaks_http(backend: Any) -> bool:
    return any(
        base.__module__ == "djsms.http" and base.__name__ == "HTTPBackend"
        for base in type(backend).__mro__
    )


def _close(backend: Any) -> None:
    """Close what a backend may have opened, so that no test is blamed for another's sockets."""
    for thing in (backend, *getattr(backend, "__dict__", {}).values()):
        close = getattr(thing, "close", None)
        if callable(close):
            close()
