from collections.abc import Mapping
from pathlib import Path

import pytest
from djsms.testing import BackendConformance


class TestFile(BackendConformance):
    name = "file"

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, object]:
        return {"path": tmp_path / "texts"}
