"""The processes of the service; that they run is tested in test_service.py."""

import subprocess
import sys


def test_the_main_module_of_a_run_is_thin() -> None:
    """Each Dask worker imports it again: nothing of ours and nothing of Prefect's comes with it."""
    ours = "('deployments', 'flows', 'forecasting', 'prefect')"
    code = f"import sys, deployments.programs; print(sorted(each for each in sys.modules if each.startswith({ours})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['deployments', 'deployments.programs']\n"
