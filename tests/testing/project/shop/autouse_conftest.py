"""The example of the documentation for a project's ``conftest.py``."""

# autouse: begin
import pytest


@pytest.fixture(autouse=True)
def _no_text_gets_out(sms_outbox):
    """Keep what any test sends in the outbox."""


# autouse: end
