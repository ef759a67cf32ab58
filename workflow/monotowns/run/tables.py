"""One way to read and to write a table: Parquet or CSV, by the ending of its name."""

from pathlib import Path

import numpy as np
import pandas as pd

#: Columns that are text even where they look like numbers.
TEXT = {"entity": str, "code": str, "term": str, "key": str}
#: Digits that a CSV keeps, unless its writer asks for fewer.
DIGITS = "%.10g"


def read_table(path, columns=None) -> pd.DataFrame:
    """Read a table; of a Parquet file only the named columns that it has.

    Parameters
    ----------
    path : path-like
    columns : collection of str, optional
    """
    if Path(path).suffix == ".parquet":
        # pyarrow would read a folder's name as a partition: one file, nothing else.
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as file:
            known = file.schema_arrow.names
            wanted = None if columns is None else [c for c in known if c in columns]
            return file.read(wanted).to_pandas()
    # Only an empty cell is missing: NA is Namibia.
    return pd.read_csv(path, dtype=TEXT, keep_default_na=False, na_values=[""])


def write_table(frame: pd.DataFrame, path, digits: str = DIGITS) -> None:
    """Write a table, the same bytes for the same rows; an index with a name becomes a column.

    Both kinds keep ten significant digits: what another processor rounds otherwise is beyond them.
    """
    frame = frame if frame.index.name is None else frame.reset_index()
    if Path(path).suffix == ".parquet":
        rounded = {c: ten_digits(frame[c]) for c in frame.select_dtypes("float")}
        frame.assign(**rounded).to_parquet(path, index=False, compression="zstd")
    else:
        frame.to_csv(path, index=False, lineterminator="\n", float_format=digits)


def ten_digits(values) -> np.ndarray:
    """Round numbers to ten significant digits."""
    values = np.asarray(values, float)
    known = np.isfinite(values) & (values != 0)
    power = 9 - np.floor(np.log10(np.abs(np.where(known, values, 1))))
    up, down = 10.0 ** np.maximum(power, 0), 10.0 ** np.maximum(-power, 0)
    return np.where(known, np.rint(values / down * up) / up * down, values)
