"""The version of the code, as part of a run's identity."""

import hashlib
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NUMERICAL_LIBRARIES = ["numpy", "pandas", "scipy", "statsmodels", "lightgbm"]


def code_fingerprint() -> str:
    """Hash of this package's sources and of the versions of the libraries that compute with it."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    for library in NUMERICAL_LIBRARIES:
        with suppress(PackageNotFoundError):  # an extra that is not installed computes nothing
            digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:16]


def code_versions() -> dict[str, str]:
    """What two processes must have in common to compute the same numbers, by name."""
    found = {"code": code_fingerprint(), "python": ".".join(platform.python_version_tuple()[:2])}
    for library in NUMERICAL_LIBRARIES:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found
