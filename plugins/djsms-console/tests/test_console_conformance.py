from djsms.testing import BackendConformance


class TestConsole(BackendConformance):
    name = "console"
