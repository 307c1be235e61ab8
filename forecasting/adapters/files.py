"""Writing files so that a reader sees the old content or the new, and never a part of it."""

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.errors import SchemaError
from forecasting.table import Table


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in the place of `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_table(path: Path, frame: pd.DataFrame, table: Table, metadata: Mapping[str, str] | None = None) -> None:
    """Write `frame` as the declared table: Parquet, sorted by its key, page checksums, the same bytes each time."""
    arrow = table.to_arrow(frame.sort_values(list(table.key), ignore_index=True))
    described = {"table": table.name, "grain": table.grain, **(metadata or {})}
    arrow = arrow.replace_schema_metadata(described)
    replace_file(path, lambda temporary: pq.write_table(arrow, temporary, write_page_checksum=True))


def read_table(path: Path, table: Table) -> pd.DataFrame:
    """Read a declared table.

    Raises:
        SchemaError: the file is not Parquet, is damaged, or differs from the declaration.
    """
    return table.from_arrow(_read(path, table))


def read_tables(paths: Iterable[Path], table: Table) -> pd.DataFrame:
    """Read many files of one declared table as one frame; faster than one after the other, as it is cast once.

    Raises:
        SchemaError: as `read_table`.
    """
    parts = [table.declared(_read(path, table)) for path in paths]
    return table.from_arrow(pa.concat_tables(parts)) if parts else table.empty()


def read_metadata(path: Path) -> dict[str, str]:
    """What the writer said of the file, by name.

    Raises:
        SchemaError: the file is damaged.
    """
    try:
        stored = pq.read_schema(path).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError("metadata", f"cannot be read from {path} ({error})", "remove it and run again") from error
    return {key.decode(): value.decode() for key, value in stored.items() if not key.startswith((b"ARROW", b"pandas"))}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values, sorted by name."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, default=str) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    replace_file(path, lambda temporary: _write_text(temporary, text))


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _read(path: Path, table: Table) -> pa.Table:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError(
            table.name,
            f"cannot be read from {path} ({str(error).splitlines()[0]})",
            "restore that file from a copy, or remove it and collect its week again",
        ) from error
