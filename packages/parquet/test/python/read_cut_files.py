"""Reads a Parquet file cut at every byte: read_cut_files.py FILE. Prints one JSON line: rows of the whole file by reader, how many cuts, and which were read."""

import json
import os
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

path = sys.argv[1]
with open(path, "rb") as file:
    whole = file.read()
read = []
connection = duckdb.connect()


def rows_of(length):
    """The rows that each reader makes of so many bytes; None if it refuses them."""
    with open(path, "r+b") as file:
        file.truncate(length)
    return [attempt(lambda: pq.read_table(pa.BufferReader(whole[:length])).num_rows), attempt(with_duckdb)]


def with_duckdb():
    return connection.sql(f"select count(magic) + 0 * count(list) from read_parquet('{path}')").fetchone()[0]


def attempt(reader):
    try:
        return reader()
    except (pa.ArrowException, OSError, duckdb.Error):
        return None


complete = rows_of(len(whole))
# From the end on: the file gets shorter and shorter.
for length in range(len(whole) - 1, -1, -1):
    rows = rows_of(length)
    if rows != [None, None]:
        read.append([length, rows])

os.remove(path)
print(json.dumps({"whole": complete, "cuts": len(whole), "read": read}))
