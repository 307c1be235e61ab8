"""The shipped files equal a rebuild from their source."""

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from forecasting.pipeline.simulation import SHIPPED


@pytest.fixture(scope="module")
def rebuild_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild", SHIPPED / "rebuild.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_shipped_files_equal_a_rebuild(
    rebuild_script: ModuleType, tmp_path: Path, needs_system: Callable[[str], None]
) -> None:
    """Downloading the Debian package and rebuilding gives the very bytes that are shipped."""
    try:
        rda = rebuild_script.download_rda(tmp_path)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        needs_system(f"the Debian package r-cran-bayesm cannot be downloaded here: {error}")
    rebuild_script.rebuild(rda, tmp_path)
    for name in ("sales", "promotions", "products", "stores"):
        assert (tmp_path / f"{name}.parquet").read_bytes() == (SHIPPED / f"{name}.parquet").read_bytes(), name
