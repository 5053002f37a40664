"""The conformance kit: what every backend must do, as tests to inherit."""

from __future__ import annotations

from djsms.testing.kit.asking import Asking
from djsms.testing.kit.checks import Checks
from djsms.testing.kit.configuration import Configuration
from djsms.testing.kit.features import Features
from djsms.testing.kit.outcomes import Outcomes
from djsms.testing.kit.packaging import Packaging
from djsms.testing.kit.sending import Sending
from djsms.testing.kit.signing import Signing
from djsms.testing.kit.tokens import Tokens

__all__ = ["BackendConformance"]


class BackendConformance(
    Packaging, Configuration, Features, Sending, Outcomes, Tokens, Asking, Signing, Checks
):
    """Inherit from it, say which backend is meant, and pytest runs all that it must pass::

        class TestAcme(BackendConformance):
            name = "acme"
            answers = {
                "accepted": Answer(202, {"id": NEW_ID}),
                "refused": Answer(400, {"error": "no such number"}),
                "throttled": Answer(429, {"error": "slow down"}),
            }

            @pytest.fixture
            def options(self, provider):
                return {"token": "not-a-real-token", "url": provider.url}

    Attributes to set:

    - ``name``: the backend's name, what its entry point is called.
    - ``answers``: what the provider answers, by outcome, one or several each; without any the
      backend is a local one. ``"token"``, ``"reports"`` and ``"balance"`` are for the other calls.
    - ``secrets``: the names of the options that nobody may see; None, the default, finds them.
    - ``proofs``: the names of the options that prove webhooks; None, the default, finds them.
    - ``extra``: extras that the backend understands.
    - ``patience``: the seconds within which a call must end without an answer.
    - ``callback_samples``, ``incoming_samples``: ``Recorded`` requests with the values expected of
      them; ``sign`` signs them if the backend verifies webhooks.
    - ``forged_callbacks``, ``forged_incoming``: requests that must be ``Forged``, besides those
      that the kit makes of the samples.
    - ``unsigned``: the names of parameters, headers, or parts of a header that the provider's
      signature does not cover.
    - ``expected_reports``, ``expected_balance``: what the provider's answers are to be read as.

    To override: the fixture ``options``, and the methods ``sign`` or ``sign_at``, ``is_send``,
    ``is_token_call``, ``message`` and ``sent``. All have defaults that most backends can do with.

    What is tested follows from the hooks that the backend implements; tests of other hooks are
    skipped and name them.
    Needs no database, no network and, if there are none, no Django settings.
    """
