"""The file backend keeps the contract."""

from pathlib import Path
from typing import Any

import pytest
from djsms.testing import BackendConformance


class TestFile(BackendConformance):
    name = "file"

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        return {"path": tmp_path}
