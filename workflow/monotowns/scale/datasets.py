"""Tables too large to be read whole, written and read in parts; and what a job tells of itself."""

import json
import os
import resource
from contextlib import contextmanager
from pathlib import Path
from time import process_time

import pandas as pd

from monotowns.errors import InputError


@contextmanager
def writing(path):
    """Give a function that appends a frame to a dataset.

    Every frame becomes a row group of its own. The file gets its name once all is written, so that
    no half of a table stays behind.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    InputError
        A frame has other columns or types than the first.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    part, writer = f"{path}.part", None

    def append(frame: pd.DataFrame):
        nonlocal writer
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        if writer is None:
            writer = pq.ParquetWriter(part, table.schema, compression="zstd")
        elif table.schema != writer.schema:
            raise InputError(str(path), "a part has other columns than the first",
                             expected=writer.schema.names, found=table.schema.names)  # fmt: skip
        writer.write_table(table)

    try:
        yield append
    except BaseException:
        if writer is not None:
            writer.close()
            os.remove(part)
        raise
    if writer is not None:
        writer.close()
        os.replace(part, path)


def read(path, columns=None) -> pd.DataFrame:
    """Read those of the columns that a dataset has, or all; no other column is touched."""
    import pyarrow.dataset as ds

    table = ds.dataset(path)
    names = [c for c in table.schema.names if columns is None or c in columns]
    return table.to_table(columns=names).to_pandas(split_blocks=True, self_destruct=True)


def parts(path):
    """Yield a dataset by its row groups, one frame at a time."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group).to_pandas()


def save_record(path, started, **told):
    """Write what a job did with its processor seconds since ``started`` and its peak memory, MB."""
    seconds = round(process_time() - started, 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    text = json.dumps(told | {"seconds": seconds, "peak_mb": peak}, indent=1)
    Path(path).write_text(text, encoding="utf-8")
