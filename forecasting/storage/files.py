"""Reads and writes tables and plain values at the places of a lake."""

import hashlib
import io
import json
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forecasting.contracts.errors import SchemaError
from forecasting.contracts.table import Table
from forecasting.storage.location import Location

# Rows of a row group: what is read at least where a range of stores is asked for.
GROUP_ROWS = 20_000
CHUNK = 1 << 20  # bytes that are copied or hashed at a time


def write_table(place: Location, frame: pd.DataFrame, table: Table, metadata: Mapping[str, str] | None = None) -> None:
    """Write `frame` as the declared table; see `table_content`."""
    place.write_bytes(table_content(frame, table, metadata))


def table_content(frame: pd.DataFrame, table: Table, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return `frame` as the declared table: Parquet, sorted by its key, page checksums, the same bytes each time."""
    content = io.BytesIO()
    write_frames(content, [frame], table, metadata)
    return content.getvalue()


def write_frames(
    file: BinaryIO, frames: Iterable[pd.DataFrame], table: Table, metadata: Mapping[str, str] | None = None
) -> int:
    """Write frames, which follow each other in order of the key, as one table, without holding all of them.

    Returns:
        The number of rows. However the rows are cut into frames, the bytes are the same.
    """
    described = {"table": table.name, "grain": table.grain, **(metadata or {})}
    schema = table.to_arrow(table.empty()).schema.with_metadata(described)
    rows, waiting = 0, schema.empty_table()
    with pq.ParquetWriter(file, schema, write_page_checksum=True) as writer:
        for frame in frames:
            arrow = table.to_arrow(frame.sort_values(list(table.key), ignore_index=True))
            rows += len(arrow)
            waiting = pa.concat_tables([waiting, arrow.replace_schema_metadata(described)])
            if whole := len(waiting) // GROUP_ROWS * GROUP_ROWS:
                writer.write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=GROUP_ROWS)
                waiting = waiting.slice(whole).combine_chunks()
        if len(waiting) or not rows:
            writer.write_table(waiting.combine_chunks(), row_group_size=GROUP_ROWS)
    return rows


def copy_from(file: BinaryIO, place: Location) -> None:
    """Put the whole content of a file into a place, in one step."""
    file.seek(0)
    with place.writer() as out:
        shutil.copyfileobj(file, out, CHUNK)


def read_columns(place: Location, table: Table, names: list[str]) -> pa.Table:
    """Read some columns of a declared table.

    Raises:
        SchemaError: the file is not Parquet, is damaged, or lacks one.
    """
    found = _read(place, table, columns=names)
    if missing := [name for name in names if name not in found.column_names]:
        raise SchemaError(table.name, f"lacks {', '.join(missing)} in {place}", "make the week again with `oj run`")
    return found


def read_table(place: Location, table: Table) -> pd.DataFrame:
    """Read a declared table.

    Raises:
        SchemaError: the file is not Parquet, is damaged, or differs from the declaration.
    """
    return table.from_arrow(_read(place, table))


def read_tables(
    places: Iterable[Location],
    table: Table,
    stores: tuple[Any, Any] | None = None,
    among: Collection[Any] | None = None,
) -> pd.DataFrame:
    """Read many files of one declared table as one frame, which is cast only once.

    Args:
        stores: the first and the last store that are wanted; None for all.
        among: the stores of that range that are wanted; None for all of it.

    Raises:
        SchemaError: as `read_table`.
    """
    parts = [table.declared(_read(place, table, stores=stores, among=among)) for place in places]
    return table.from_arrow(pa.concat_tables(parts)) if parts else table.empty()


def read_undamaged(places: Iterable[Location], table: Table) -> pd.DataFrame:
    """Read many files as `read_tables` does, but skip damaged ones."""
    places = list(places)
    try:
        return read_tables(places, table)
    except SchemaError:
        return read_tables([place for place in places if is_whole(place, table)], table)


def is_whole(place: Location, table: Table) -> bool:
    """Return whether the file exists and holds the declared table undamaged."""
    try:
        table.declared(_read(place, table))
    except SchemaError:
        return False
    return True


def read_hashed(place: Location, table: Table) -> tuple[pa.Table, dict[str, str], str]:
    """Read a declared table, its metadata, and the SHA-256 of the bytes that were read.

    Raises:
        SchemaError: as `read_table`.
    """
    content = place.read_bytes()
    found = _read(place, table, content=content)
    return table.declared(found), _described(found.schema), hashlib.sha256(content).hexdigest()


def read_metadata(place: Location) -> dict[str, str]:
    """Return the metadata of the file that its writer gave it.

    Raises:
        SchemaError: the file is damaged.
    """
    try:
        with place.open() as file:
            return _described(pq.read_schema(file))
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError("metadata", f"cannot be read from {place} ({error})", "remove it and run again") from error


def sha256_of(place: Location) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with place.open() as file:
        return digest_of(file)


def digest_of(file: BinaryIO) -> str:
    """Return the SHA-256 of an open file, from where it stands to its end."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def write_json(place: Location, content: Mapping[str, Any]) -> None:
    """Write plain values, sorted by name."""
    place.write_text(json.dumps(content, indent=2, sort_keys=True, default=str) + "\n")


def read_json(place: Location) -> dict[str, Any]:
    """Read what `write_json` wrote."""
    content: dict[str, Any] = json.loads(place.read_text())
    return content


def json_if_any(place: Location) -> dict[str, Any] | None:
    """Read what `write_json` wrote; return None where there is no such file."""
    try:
        return read_json(place)
    except FileNotFoundError:
        return None


def dates(names: Iterable[str], suffix: str = "") -> list[date]:
    """Return the dates that files or folders are named by, each once; other names are skipped."""
    found = set()
    for name in names:
        if name.endswith(suffix):
            with suppress(ValueError):
                found.add(date.fromisoformat(name.removesuffix(suffix)))
    return sorted(found)


def _described(schema: pa.Schema) -> dict[str, str]:
    stored = schema.metadata or {}
    return {key.decode(): value.decode() for key, value in stored.items() if not key.startswith((b"ARROW", b"pandas"))}


def _read(
    place: Location,
    table: Table,
    *,
    content: bytes | None = None,
    stores: tuple[Any, Any] | None = None,
    among: Collection[Any] | None = None,
    columns: list[str] | None = None,
) -> pa.Table:
    try:
        if columns is not None:
            with place.open() as file:
                return pq.ParquetFile(file, page_checksum_verification=True).read(columns)
        if stores is None:
            source = pa.BufferReader(place.read_bytes() if content is None else content)
            return pq.ParquetFile(source, page_checksum_verification=True).read()
        with place.open() as file:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            groups = _groups_of(parquet.metadata, stores)
            found = parquet.read_row_groups(groups) if groups else parquet.schema_arrow.empty_table()
        wanted = (pc.field("store") >= stores[0]) & (pc.field("store") <= stores[1])
        return found.filter(wanted if among is None else wanted & pc.field("store").isin(list(among)))
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError(
            table.name,
            f"cannot be read from {place} ({str(error).splitlines()[0]})",
            "restore that file from a copy, or remove it and collect its week again",
        ) from error


def _groups_of(metadata: pq.FileMetaData, stores: tuple[Any, Any]) -> Sequence[int]:
    """Return the row groups that may hold some of these stores, by the statistics of the file."""
    column = metadata.schema.names.index("store")
    found = []
    for group in range(metadata.num_row_groups):
        known = metadata.row_group(group).column(column).statistics
        if not (known and known.has_min_max) or (known.min <= stores[1] and known.max >= stores[0]):
            found.append(group)
    return found
