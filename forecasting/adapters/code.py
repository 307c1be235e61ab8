"""The version of the code, as part of a run's identity."""

import hashlib
from importlib.metadata import version
from pathlib import Path

NUMERICAL_LIBRARIES = ["numpy", "pandas", "scipy", "statsmodels"]


def code_fingerprint() -> str:
    """Hash of this package's sources and of the versions of the libraries that compute with it."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    for library in NUMERICAL_LIBRARIES:
        digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:16]
