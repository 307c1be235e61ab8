"""A reader can predict the file of a module's tests: `forecasting/core/x.py`, `tests/forecasting/core/test_x.py`."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("benchmarks", "data", "deployments", "flows", "forecasting")

# Sources without a test file of their name, and why.
WITHOUT_TESTS = {
    "benchmarks/*.py": "each script is run at a tiny size by tests/benchmarks/test_scripts.py",
}

# Test files without a source of their name, and what they cover.
END_TO_END = {
    "tests/benchmarks/test_scripts.py": "every script of benchmarks/ at a tiny size",
    "tests/data/test_shipped.py": "the data set that is shipped",
    "tests/deployments/test_postgresql.py": "the service with its database in PostgreSQL",
    "tests/deployments/test_service_failures.py": "starts of the service that fail, beside its long life story",
    "tests/deployments/test_systemd.py": "deployments/systemd/oj.service",
    "tests/flows/test_another_retailer.py": "another retailer's files, from the import to the second week",
    "tests/flows/test_run_page.py": "the pages of a run in Prefect's UI, in a browser",
    "tests/flows/test_several_hosts.py": "weekly runs on clusters of several hosts",
    "tests/forecasting/models/test_hard_series.py": "every registered model on series that are hard to forecast",
    "tests/forecasting/pipeline/test_covariate.py": "a covariate of one's own, from the inbox to the report",
    "tests/forecasting/presentation/html/test_assets.py": "scripts and styles that the page embeds",
    "tests/forecasting/presentation/html/test_page_in_browser.py": "the page of a week, in a browser",
    "tests/test_hostile_ids.py": "ids of stores and products, wherever they come back",
    "tests/forecasting/storage/test_promises.py": "what a lake promises, on every kind of storage",
    "tests/forecasting/storage/test_retailers_files.py": "files as retailers send them, read and validated",
    "tests/test_documentation.py": "commands and links in the documents",
    "tests/test_mirror.py": "the names of the test files",
    "tests/test_tables_document.py": "docs/tables.md",
    "tests/test_tutorial.py": "docs/your-data.md",
    "tests/test_wheel.py": "the wheel",
}


def mirrored(source: Path) -> Path:
    """The test file of a source: of `__main__.py` it is `test_main.py`."""
    return ROOT / "tests" / source.parent.relative_to(ROOT) / f"test_{source.stem.strip('_')}.py"


def sources() -> list[Path]:
    """Every module but the packages' own `__init__.py`, which only re-export."""
    found = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return [path for path in found if path.name != "__init__.py"]


def test_every_source_has_a_test_file_of_its_name() -> None:
    """At the mirrored path; the exceptions are listed with their reason, and each is one."""
    lacking = [source.relative_to(ROOT) for source in sources() if not mirrored(source).exists()]
    excused = {pattern: [path for path in lacking if path.match(pattern)] for pattern in WITHOUT_TESTS}
    assert [str(path) for path in lacking if not any(path in paths for paths in excused.values())] == []
    assert [pattern for pattern, paths in excused.items() if not paths] == []


def test_every_test_file_has_a_source_of_its_name() -> None:
    """Or it is listed with what it covers; no entry of the list is out of date."""
    expected = {mirrored(source) for source in sources()}
    found = {path for path in (ROOT / "tests").rglob("test_*.py") if path not in expected}
    assert {str(path.relative_to(ROOT)) for path in found} == set(END_TO_END)
