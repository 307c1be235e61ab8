"""The version of this installation: of all its source files, and of the numerical libraries."""

import hashlib
import platform
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NUMERICAL_LIBRARIES = ["numpy", "pandas", "scipy", "statsmodels", "lightgbm", "holidays"]


def package_fingerprint() -> str:
    """Return the hash of all source files of this package and of the versions of the numerical libraries."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    for library, installed in library_versions(NUMERICAL_LIBRARIES).items():
        digest.update(f"{library}={installed}".encode())
    return digest.hexdigest()[:16]


def code_versions() -> dict[str, str]:
    """Return the versions that two processes must share to work for one run, by name."""
    return {"code": package_fingerprint(), "python": python_version(), **library_versions(NUMERICAL_LIBRARIES)}


def library_versions(libraries: Iterable[str]) -> dict[str, str]:
    """Return the version of each library; an extra that is not installed computes nothing, and is left out."""
    found = {}
    for library in libraries:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def python_version() -> str:
    """Return the version of Python without its patch, such as 3.13."""
    return ".".join(platform.python_version_tuple()[:2])
