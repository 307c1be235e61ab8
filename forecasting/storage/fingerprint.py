"""The fingerprint of the code that a forecast's numbers depend on; it is part of the run id.

It covers the modules that the forecast and the models import, directly or not, as found in the source files. Comments,
docstrings and layout do not count.
"""

import ast
import hashlib
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import resolve_name
from pathlib import Path

from forecasting.models import MODELS, get_model
from forecasting.storage.code_version import NUMERICAL_LIBRARIES, library_versions, python_version

PACKAGE = Path(__file__).parents[1]
ENTRIES = (
    "forecasting.pipeline.forecast",
    "forecasting.core.retry_queue",
)  # the batch decides which series get a fallback
FOR_PEOPLE = ("forecasting.contracts.errors",)  # whether an error is raised stands elsewhere; here is how it reads
LIBRARY_FOLDERS = {"site-packages", "dist-packages"}

Find = Callable[[str], Path | None]


def code_fingerprint(model: str) -> str:
    """Return the hash of all code that computes a forecast by this model, and of the versions of its libraries.

    A user's own model, `module:function`, counts with the modules beside it that it imports.

    Raises:
        OptionError: there is no such model.
    """
    sources, libraries = numerical_modules(), set(NUMERICAL_LIBRARIES)
    if model not in MODELS:
        own, others = own_modules(model)
        sources |= own
        libraries |= _distributions(others - libraries)
    digest = hashlib.sha256(f"python={python_version()}".encode())
    for name, path in sorted(sources.items()):
        digest.update(f"{name}={meaning(path.read_bytes()) if path.suffix == '.py' else path.read_bytes()!r}".encode())
    for library, installed in library_versions(sorted(libraries)).items():
        digest.update(f"{library}={installed}".encode())
    return digest.hexdigest()[:16]


def numerical_modules() -> dict[str, Path]:
    """Return the modules of this package that a forecast depends on, by name; all models, as some use others."""
    names = [*ENTRIES, *(path.partition(":")[0] for path in MODELS.values())]
    start = {name: path for name in names if (path := _in_package(name))}
    found, _ = import_closure(start, _in_package)
    return {name: path for name, path in found.items() if name not in FOR_PEOPLE}


def own_modules(model: str) -> tuple[dict[str, Path], set[str]]:
    """Return the modules of a user's own model, by name, and the names of the libraries that they import.

    These are the model's module and those that it imports, directly or not, of the same folder or of this package; of
    an installed model, those of the same distribution's package.

    Raises:
        OptionError: there is no such model.
    """
    get_model(model)  # imports it
    name = model.partition(":")[0]
    if not (known := getattr(sys.modules[name], "__file__", None)):
        return {}, set()  # it comes with Python
    file = Path(known)
    folder = file.parents[name.count(".") + (file.name == "__init__.py")]
    installed = not LIBRARY_FOLDERS.isdisjoint(folder.parts)
    top = name.partition(".")[0]

    def find(other: str) -> Path | None:
        if installed and other.partition(".")[0] != top:
            return _in_package(other)
        return _in_package(other) or _source(folder, other)

    found, others = import_closure({name: file}, find)
    return {each: path for each, path in found.items() if each not in FOR_PEOPLE}, others


def import_closure(start: Mapping[str, Path], find: Find) -> tuple[dict[str, Path], set[str]]:
    """Follow imports, also those inside functions.

    Args:
        start: the files of the first modules, by name.
        find: gives the file of a module by its name; None for a module that is not followed.

    Returns:
        The files of the modules that were followed, and the top-level names of the others without the standard library.
    """
    found: dict[str, Path] = {}
    others: set[str] = set()
    waiting = dict(start)
    while waiting:
        name, path = waiting.popitem()
        found[name] = path
        parts = name.split(".")
        parents = {".".join(parts[:end]) for end in range(1, len(parts))}
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        imported = _imported(path.read_bytes(), package) if path.suffix == ".py" else frozenset()
        for other in parents | imported:
            if other in found:
                continue
            if source := find(other):
                waiting[other] = source
            else:
                others.add(other.partition(".")[0])
    # A function of a module that was followed is no library.
    return found, others - {name.partition(".")[0] for name in found} - sys.stdlib_module_names


@cache
def meaning(source: bytes) -> str:
    """Return what a Python source computes: its syntax tree without docstrings, comments and layout."""
    return ast.dump(_WithoutTexts().visit(ast.parse(source)))


class _WithoutTexts(ast.NodeTransformer):
    """Removes strings that stand alone, such as docstrings."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node


@cache
def _imported(source: bytes, package: str) -> frozenset[str]:
    """Return the names that a module imports, and their packages; some are functions, not modules."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            imported = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in imported:
            parts = name.split(".")
            names |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return frozenset(names)


def _in_package(name: str) -> Path | None:
    return _source(PACKAGE.parent, name) if name.partition(".")[0] == PACKAGE.name else None


def _source(folder: Path, name: str) -> Path | None:
    path = folder.joinpath(*name.split("."))
    return next((file for file in (path / "__init__.py", path.with_name(f"{path.name}.py")) if file.is_file()), None)


def _distributions(names: set[str]) -> set[str]:
    """Return the distributions that modules of these names are installed from."""
    if not names:
        return set()
    known = packages_distributions()
    return {distribution for name in names for distribution in known.get(name, [])}
