"""The phone backend keeps the contract."""

import pytest
from djsms.testing import BackendConformance


@pytest.mark.django_db(transaction=True)
class TestPhone(BackendConformance):
    name = "phone"
