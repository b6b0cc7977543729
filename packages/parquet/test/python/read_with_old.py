"""Reads Parquet files with whatever versions of PyArrow, DuckDB and fastparquet there are: read_with_old.py FOLDER [READER]. Prints one JSON line:
by file and reader a checksum of each column, or what the reader says against the file."""

import datetime
import glob
import hashlib
import json
import math
import os
import sys

COLUMNS = ("id", "small", "day", "at", "real", "word", "raw", "top", "number")


def with_pyarrow(file):
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    return {c: column(table[c]) for c in COLUMNS}


def column(array):
    import pyarrow as pa

    integer = {"day": pa.int32(), "at": pa.int64()}
    kind = "day" if pa.types.is_date(array.type) else "at" if pa.types.is_timestamp(array.type) else None
    return (array.cast(integer[kind]) if kind else array).to_pylist()


def with_duckdb(file):
    import duckdb

    names = ", ".join(f'"{c}"' for c in COLUMNS)
    rows = duckdb.connect().execute(f"select {names} from '{file}'").fetchall()
    return dict(zip(COLUMNS, map(list, zip(*rows))))


def with_fastparquet(file):
    import fastparquet

    frame = fastparquet.ParquetFile(file).to_pandas(columns=list(COLUMNS))
    return {c: plain(frame[c]) for c in COLUMNS}


def plain(series):
    kind = str(series.dtype)
    if kind.startswith("datetime64"):
        ns = series.astype("int64").tolist()
        return [v // 86_400_000_000_000 for v in ns] if series.name == "day" else [v // 1000 for v in ns]
    return series.tolist()


def checksum(values):
    text = json.dumps([normal(v) for v in values])
    return f"{len(values)} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def normal(value):
    """Days and microseconds since 1970 for times, text for what JSON lacks."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, datetime.datetime):
        return (value.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return (value - datetime.date(1970, 1, 1)).days
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value


READERS = {"pyarrow": with_pyarrow, "duckdb": with_duckdb, "fastparquet": with_fastparquet}
found = {}
for file in sorted(glob.glob(f"{sys.argv[1]}/*.parquet")):
    name = os.path.basename(file).removesuffix(".parquet")
    found[name] = {}
    for reader in sys.argv[2:] or READERS:
        try:
            found[name][reader] = {c: checksum(values) for c, values in READERS[reader](file).items()}
        except Exception as error:  # noqa: BLE001: what the reader says is what we ask
            found[name][reader] = str(error)
print(json.dumps(found))
