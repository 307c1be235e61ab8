"""Reads and writes files so that a reader sees the old content or the new one, never a part of it."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forecasting.contracts.errors import SchemaError
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.table import Table

ROWS_IN_A_GROUP = 20_000  # of some hundred stores: the rows of a range of stores are read without most others


def put(path: Path, content: bytes, prepare_in: Path | None = None) -> None:
    """Put a whole file in the place of `path` in one step; see `replace_file`."""
    replace_file(path, lambda temporary: temporary.write_bytes(content), prepare_in)


def replace_file(path: Path, write: Callable[[Path], object], prepare_in: Path | None = None) -> None:
    """Let `write` fill a temporary file, then put it in the place of `path` in one step.

    Args:
        prepare_in: folder of the temporary file, on the same file system; that of `path` where none is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=prepare_in or path.parent, prefix=".", suffix=".tmp")
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
    """Wait until a file's content, or a folder's list of files, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_table(path: Path, frame: pd.DataFrame, table: Table, metadata: Mapping[str, str] | None = None) -> None:
    """Write `frame` as the declared table; see `table_content`."""
    put(path, table_content(frame, table, metadata))


def table_content(frame: pd.DataFrame, table: Table, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return `frame` as the declared table: Parquet, sorted by its key, page checksums, the same bytes each time."""
    arrow = table.to_arrow(frame.sort_values(list(table.key), ignore_index=True))
    described = {"table": table.name, "grain": table.grain, **(metadata or {})}
    buffer = pa.BufferOutputStream()
    pq.write_table(
        arrow.replace_schema_metadata(described), buffer, write_page_checksum=True, row_group_size=ROWS_IN_A_GROUP
    )
    content: bytes = buffer.getvalue().to_pybytes()
    return content


def write_frames(
    path: Path, frames: Iterable[pd.DataFrame], table: Table, metadata: Mapping[str, str] | None = None
) -> int:
    """Write frames, which follow each other in order of the key, as one file, without holding all of them.

    Returns:
        The number of rows. However the rows are cut into frames, the bytes of the file are the same.
    """
    described = {"table": table.name, "grain": table.grain, **(metadata or {})}
    schema = table.to_arrow(table.empty()).schema.with_metadata(described)
    rows, waiting = 0, schema.empty_table()
    with pq.ParquetWriter(path, schema, write_page_checksum=True) as writer:
        for frame in frames:
            arrow = table.to_arrow(frame.sort_values(list(table.key), ignore_index=True))
            rows += len(arrow)
            waiting = pa.concat_tables([waiting, arrow.replace_schema_metadata(described)])
            whole = len(waiting) // ROWS_IN_A_GROUP * ROWS_IN_A_GROUP
            if whole:
                writer.write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=ROWS_IN_A_GROUP)
                waiting = waiting.slice(whole).combine_chunks()
        if len(waiting) or not rows:
            writer.write_table(waiting.combine_chunks(), row_group_size=ROWS_IN_A_GROUP)
    return rows


def read_columns(path: Path, table: Table, names: list[str]) -> pa.Table:
    """Read some columns of a declared table.

    Raises:
        SchemaError: the file is not Parquet, is damaged, or lacks one.
    """
    found = _read(path, table, columns=names)
    if missing := [name for name in names if name not in found.column_names]:
        raise SchemaError(table.name, f"lacks {', '.join(missing)} in {path}", "make the week again with `oj run`")
    return found


def read_table(path: Path, table: Table) -> pd.DataFrame:
    """Read a declared table.

    Raises:
        SchemaError: the file is not Parquet, is damaged, or differs from the declaration.
    """
    return table.from_arrow(_read(path, table))


def read_tables(paths: Iterable[Path], table: Table, stores: tuple[Id, Id] | None = None) -> pd.DataFrame:
    """Read many files of one declared table as one frame, which is cast only once.

    Args:
        stores: the first and the last store whose rows are wanted; row groups without them are not read.

    Raises:
        SchemaError: as `read_table`.
    """
    parts = [table.declared(_read(path, table, stores=stores)) for path in paths]
    return table.from_arrow(pa.concat_tables(parts)) if parts else table.empty()


def read_undamaged(paths: Iterable[Path], table: Table) -> pd.DataFrame:
    """Read many files as `read_tables` does, but skip damaged ones."""
    paths = list(paths)
    try:
        return read_tables(paths, table)
    except SchemaError:
        return read_tables([path for path in paths if is_whole(path, table)], table)


def is_whole(path: Path, table: Table) -> bool:
    """Return whether the file exists and holds the declared table undamaged."""
    try:
        table.declared(_read(path, table))
    except SchemaError:
        return False
    return True


def read_hashed(path: Path, table: Table) -> tuple[pa.Table, dict[str, str], str]:
    """Read a declared table, its metadata, and the SHA-256 of the bytes that were read.

    Raises:
        SchemaError: as `read_table`.
    """
    content = path.read_bytes()
    found = _read(path, table, pa.BufferReader(content))
    return table.declared(found), _described(found.schema), hashlib.sha256(content).hexdigest()


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of the file that its writer gave it.

    Raises:
        SchemaError: the file is damaged.
    """
    try:
        return _described(pq.read_schema(path))
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError("metadata", f"cannot be read from {path} ({error})", "remove it and run again") from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values, sorted by name."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, default=str) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    put(path, text.encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def dates(folder: Path, pattern: str) -> list[date]:
    """Return the dates that files or folders are named by; other names are skipped."""
    found = []
    for path in folder.glob(pattern):
        try:
            found.append(date.fromisoformat(path.name.split(".")[0]))
        except ValueError:
            continue
    return sorted(found)


def _described(schema: pa.Schema) -> dict[str, str]:
    stored = schema.metadata or {}
    return {key.decode(): value.decode() for key, value in stored.items() if not key.startswith((b"ARROW", b"pandas"))}


def _read(
    path: Path,
    table: Table,
    source: pa.NativeFile | None = None,
    stores: tuple[Id, Id] | None = None,
    columns: list[str] | None = None,
) -> pa.Table:
    try:
        file = pq.ParquetFile(source or path, page_checksum_verification=True)
        return file.read(columns) if stores is None else _of_stores(file, *stores)
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError(
            table.name,
            f"cannot be read from {path} ({str(error).splitlines()[0]})",
            "restore that file from a copy, or remove it and collect its week again",
        ) from error


def _of_stores(file: pq.ParquetFile, low: Id, high: Id) -> pa.Table:
    """Return the rows of the stores from `low` to `high`; only row groups that may hold some are read."""
    column = file.schema_arrow.names.index("store")

    def may_hold(group: int) -> bool:
        found = file.metadata.row_group(group).column(column).statistics
        return not found or not found.has_min_max or (found.min <= high and found.max >= low)

    found = file.read_row_groups([group for group in range(file.num_row_groups) if may_hold(group)])
    return found.filter((pc.field("store") >= low) & (pc.field("store") <= high))
