"""Every worker must compute with the version of this run, or its numbers are another model's."""

from collections.abc import Mapping
from typing import Any

from distributed import Client

from forecasting.compute import on_worker
from forecasting.contracts.errors import RunError
from forecasting.storage.code_version import code_versions

UNFIT = "install this package there in the same version as here, with the same libraries (docs/clusters.md)"


def require_same_versions(client: Client) -> None:
    """See that all workers that are there now run the version of this process.

    Raises:
        RunError: one does not; the error names it and both versions.
    """
    here = code_versions()
    # Dask tells Python's version without running our code there: bytecode of another Python would crash it.
    versions: Any = client.get_versions()
    for worker, said in versions["workers"].items():
        python = ".".join(said["host"]["python"].split(".")[:2])
        require_same(worker, {**here, "python": python}, here)
    for worker, there in client.run(on_worker.describe).items():
        require_same(worker, there, here)


def require_same(worker: str, there: Mapping[str, Any], here: Mapping[str, Any] | None = None) -> None:
    """See that one worker's versions are those of this process.

    Raises:
        RunError: they are not.
    """
    here = here or code_versions()
    if differences := unlike(there, here):
        raise RunError(f"The worker {worker} runs another version than this run: {', '.join(differences)}", UNFIT)


def unlike(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What differs, in words: `numpy 2.1.0 there and 2.2.0 here`."""
    if "code" not in there and there.get("python") == here["python"]:
        return [f"this package none there and {here['code']} here"]
    return [
        f"{name} {there.get(name, 'none')} there and {here.get(name, 'none')} here"
        for name in sorted(here.keys() | there.keys())
        if there.get(name) != here.get(name)
    ]
