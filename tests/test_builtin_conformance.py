"""The backends that come with the core keep the contract too."""

from djsms.testing import BackendConformance


class TestDummy(BackendConformance):
    name = "dummy"


class TestMemory(BackendConformance):
    name = "memory"
