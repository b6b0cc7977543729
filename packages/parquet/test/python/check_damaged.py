"""Compares Parquet files made from damaged Arrow streams with what PyArrow reads of the same streams: check_damaged.py FOLDER. Prints one JSON line.

FOLDER has N.arrows and N.parquet. What PyArrow refuses, and finds invalid, is counted: there is nothing to compare with."""

import collections
import glob
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from comparable import comparable

problems = []
counts = collections.Counter()


def as_binary(array):
    """Text with the bytes that it has, be they UTF-8 or not."""
    if pa.types.is_dictionary(array.type):
        array = pa.chunked_array([chunk.dictionary_decode() for chunk in array.chunks], array.type.value_type)
    return array.cast(pa.binary()) if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) else array


def read_stream(path):
    with pa.OSFile(path, "rb") as source:
        reader = pa.ipc.open_stream(source)
        batches = list(reader)
        for batch in batches:
            batch.validate()
        return pa.Table.from_batches(batches, reader.schema)


def compare(source):
    file = source.replace(".arrows", ".parquet")
    got = pq.ParquetFile(file, page_checksum_verification=True).read()
    try:
        want = read_stream(source)
    except (pa.ArrowInvalid, pa.ArrowException, OSError, UnicodeDecodeError):
        counts["refused"] += 1
        return
    if want.num_rows != got.num_rows or want.num_columns != got.num_columns:
        problems.append(f"{source}: {got.num_rows} rows of {got.num_columns} instead of {want.num_rows} of {want.num_columns}")
        return
    counts["compared"] += 1
    for index, (a, b) in enumerate(zip(want.columns, got.columns)):
        try:
            a.validate(full=True)
        except pa.ArrowInvalid as error:
            counts["invalid"] += 1
            # Whether PyArrow can touch the values of others is not sure.
            if "Invalid UTF8" not in str(error) or not pa.types.is_string(a.type):
                continue
        want_values, got_values = comparable(as_binary(a)), comparable(as_binary(b))
        if want_values != got_values:
            at = next(i for i, (x, y) in enumerate(zip(want_values, got_values)) if x != y)
            problems.append(f"{source} column {index} {a.type} at {at}: {want_values[at]!r:.100} / {got_values[at]!r:.100}")


for source in sorted(glob.glob(f"{sys.argv[1]}/*.arrows")):
    try:
        compare(source)
    except Exception as error:  # noqa: BLE001: whatever a reader throws is what we look for
        problems.append(f"{source}: {type(error).__name__}: {str(error)[:300]}")

print(json.dumps({"counts": counts, "problems": problems}))
