"""The formats of files: text, Parquet and workbooks, each as columns of text."""

from forecasting.storage.formats.choose import PARQUET_FILE, Format, format_of
from forecasting.storage.formats.columns import Fault, FileColumns, UnreadableFileError

__all__ = ["PARQUET_FILE", "Fault", "FileColumns", "Format", "UnreadableFileError", "format_of"]
