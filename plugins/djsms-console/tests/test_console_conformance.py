"""The console backend keeps the contract."""

from djsms.testing import BackendConformance


class TestConsole(BackendConformance):
    name = "console"
