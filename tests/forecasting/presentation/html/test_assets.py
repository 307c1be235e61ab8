"""What the page brings along."""

from pathlib import Path

import vl_convert
from hatchling.builders.wheel import WheelBuilder

from forecasting.presentation.html.render import SCRIPTS

ROOT = Path(__file__).parents[4]
ASSETS = ROOT / "forecasting" / "presentation" / "html" / "assets"


def test_vega_is_the_one_that_vl_convert_bundles() -> None:
    """Byte for byte: nobody has written into it. After an update of vl-convert: see assets/README.md."""
    assert (ASSETS / "vega.js").read_text(encoding="utf-8") == vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub is wrong


def test_a_wheel_has_all_of_it() -> None:
    """Template, style and scripts are no Python, and are packed all the same."""
    packed = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"forecasting/presentation/html/assets/{name}" for name in (*SCRIPTS, "report.css")} <= packed
    assert "forecasting/presentation/html/templates/report.html.j2" in packed


def test_no_script_can_end_its_element() -> None:
    """They are embedded as they are."""
    for name in SCRIPTS:
        text = (ASSETS / name).read_text(encoding="utf-8").lower()
        assert "</script" not in text
        assert "<!--" not in text
