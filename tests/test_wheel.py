"""What a wheel carries. `make wheel` installs one and does the main job with it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("deployments", "flows", "forecasting")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_every_file_of_the_packages_is_in_it(unpacked: Path) -> None:
    """Code, deployments, units, templates and what a page is made of."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (unpacked / path.relative_to(ROOT)).is_file(), path


def test_the_shipped_data_are_in_it_with_their_terms(unpacked: Path) -> None:
    """`oj simulate` needs the tables, and `oj run` reads them after publishing; the script that makes them stays."""
    shipped = {path.name for path in (ROOT / "data").glob("*.parquet")}
    assert {path.name for path in (unpacked / "forecasting" / "data").iterdir()} == {*shipped, "README.md"}
    assert not (unpacked / "data").exists()


def test_installed_code_finds_the_shipped_data(unpacked: Path, tmp_path: Path) -> None:
    """Its own, far from the repository."""
    code = (
        "from pathlib import Path; from forecasting.storage.lake import Lake; "
        "from forecasting.pipeline.simulation import SHIPPED, is_simulated, simulate; "
        "lake = Lake(Path('lake')); simulate(lake); print(SHIPPED, is_simulated(lake))"
    )
    environment = os.environ | {"PYTHONPATH": str(unpacked), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{unpacked / 'forecasting' / 'data'} True\n", done.stderr
