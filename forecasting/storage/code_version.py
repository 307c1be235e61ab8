"""The version of this installation: of all its source files, and of the numerical libraries."""

import hashlib
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NUMERICAL_LIBRARIES = ["numpy", "pandas", "scipy", "statsmodels", "lightgbm"]


def package_fingerprint() -> str:
    """Return the hash of all source files of this package and of the versions of the numerical libraries."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    for library in NUMERICAL_LIBRARIES:
        with suppress(PackageNotFoundError):  # an extra that is not installed computes nothing
            digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:16]


def code_versions() -> dict[str, str]:
    """Return the versions that two processes must share to work for one run, by name."""
    found = {"code": package_fingerprint(), "python": ".".join(platform.python_version_tuple()[:2])}
    for library in NUMERICAL_LIBRARIES:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found
