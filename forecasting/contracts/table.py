"""A declared table, and what casting to its declaration means.

A `Table` casts pandas frames to its declaration when they enter and leave the system, so that
all code in between may rely on names and types. Weeks are dates on disk and `datetime64[us]` in memory.
"""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from forecasting.contracts.errors import SchemaError


@dataclass(frozen=True)
class Table:
    """One declared table.

    key: the columns whose values identify a row, the grain.
    absent: columns that a file written before they were declared lacks, each with the value that it then has.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    schema: pa.Schema
    absent: tuple[tuple[str, float | None], ...] = ()

    @property
    def columns(self) -> list[str]:
        return list(self.schema.names)

    @property
    def nullable(self) -> pa.Schema:
        """The declared columns and types, with empty values allowed everywhere."""
        return pa.schema([field.with_nullable(True) for field in self.schema])

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """Cast `frame` to the declaration, in the declared column order.

        Raises:
            SchemaError: a column is missing, a value does not fit its type or is null where it may not be.
        """
        self._require_columns(frame.columns)
        for field in self.schema:
            # Arrow would read the text 007 as the number 7.
            values = frame[field.name]
            if isinstance(values.dtype, pd.StringDtype) and not _is_text(field.type) and values.notna().any():
                raise SchemaError(self.name, f"has text in column {field.name!r}", "correct the producer")
        try:
            # Empty values are looked for afterwards, so that the error can count them.
            table = pa.Table.from_pandas(frame[self.columns], schema=self.nullable, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise SchemaError(
                self.name, f"has a value that does not fit its column ({error})", "correct the producer"
            ) from error
        self._require_values(table)
        return table.cast(self.schema)

    def from_arrow(self, table: pa.Table) -> pd.DataFrame:
        """The pandas frame of a table read from disk, cast to the declaration.

        Raises:
            SchemaError: the table lacks a declared column or has another type there.
        """
        cast = self.declared(table)
        frame = cast.to_pandas(date_as_object=False)
        dates = [field.name for field in self.schema if pa.types.is_date(field.type)]
        return frame.astype(dict.fromkeys(dates, "datetime64[us]"))

    def declared(self, table: pa.Table) -> pa.Table:
        """The declared columns of an Arrow table read from disk, with their declared types.

        Raises:
            SchemaError: the table lacks a declared column, has another type there, or an empty value.
        """
        for name, value in self.absent:
            if name not in table.column_names:
                table = table.append_column(name, pa.repeat(value, table.num_rows))
        self._require_columns(table.column_names)
        for field in self.schema:
            # Arrow would read the text 007 as the number 7, and write the number 7 as the text 7.
            found = table.schema.field(field.name).type
            if _is_text(found) != _is_text(field.type) and not pa.types.is_null(found):
                raise SchemaError(
                    self.name,
                    f"has a column of another type than declared ({field.name!r} is {found}, not {field.type})",
                    "write the file anew",
                )
        try:
            cast = table.select(self.columns).cast(self.nullable)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError) as error:
            raise SchemaError(
                self.name, f"has a column of another type than declared ({error})", "write the file anew"
            ) from error
        self._require_values(cast)
        return cast

    def cast(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` with exactly the declared columns and types."""
        return self.from_arrow(self.to_arrow(frame))

    def empty(self) -> pd.DataFrame:
        """A frame of this table without rows."""
        return self.from_arrow(self.schema.empty_table())

    def _require_columns(self, present: "pd.Index | list[str]") -> None:
        missing = [name for name in self.columns if name not in present]
        if missing:
            raise SchemaError(
                self.name,
                f"lacks the declared columns {', '.join(missing)} (it has {', '.join(map(str, present))})",
                "add them or correct their names",
            )

    def _require_values(self, table: pa.Table) -> None:
        for field in self.schema:
            if not field.nullable and table.column(field.name).null_count:
                raise SchemaError(
                    self.name,
                    f"has {table.column(field.name).null_count} empty values in column {field.name!r}",
                    "fill or remove those rows",
                )


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def column(name: str, kind: pa.DataType, unit: str, nullable: bool = False) -> pa.Field:
    """A column, with what its values mean and in which unit."""
    return pa.field(name, kind, nullable=nullable, metadata={"unit": unit})
