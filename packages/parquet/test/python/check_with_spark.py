"""Compares Parquet files with the Arrow streams they were made from, in the session that `runSpark` has made; arguments: the folder of this file, that of N.arrows and N.M.parquet."""

import glob
import json
import sys

import pyarrow as pa

sys.path.insert(0, sys.argv[1])
from comparable import comparable  # noqa: E402

for name, value in {
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.adaptive.enabled": "false",
}.items():
    spark.conf.set(name, value)  # noqa: F821


def in_spark(t):
    """The Arrow type with the unit that Spark has for its kind of time; others as they are."""
    if pa.types.is_timestamp(t) and t.unit != "ns":
        return pa.timestamp("us", t.tz)
    if pa.types.is_struct(t):
        return pa.struct([f.with_type(in_spark(f.type)) for f in t])
    if pa.types.is_map(t):
        return pa.map_(t.key_type, in_spark(t.item_type))
    if pa.types.is_large_list(t):
        return pa.large_list(in_spark(t.value_type))
    if pa.types.is_fixed_size_list(t):
        return pa.list_(in_spark(t.value_type), t.list_size)
    if pa.types.is_list(t):
        return pa.list_(in_spark(t.value_type))
    return t


def read(file):
    """The rows of a file; row by row where the vectorised reader says that it does not know BYTE_STREAM_SPLIT."""
    try:
        return spark.read.parquet(file).toArrow()  # noqa: F821
    except Exception as error:
        if "Unsupported encoding: BYTE_STREAM_SPLIT" not in cause_of(error):
            raise
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", "false")  # noqa: F821
    try:
        return spark.read.parquet(file).toArrow()  # noqa: F821
    finally:
        spark.conf.set("spark.sql.parquet.enableVectorizedReader", "true")  # noqa: F821


def cause_of(error):
    """The innermost cause, which in Java says what is wrong."""
    cause = getattr(error, "java_exception", None)
    if cause is None:
        return str(error)
    while cause.getCause() is not None:
        cause = cause.getCause()
    return cause.toString()


problems = []
files = 0
for source in sorted(glob.glob(f"{sys.argv[2]}/*.arrows")):
    with pa.OSFile(source, "rb") as stream:
        reader = pa.ipc.open_stream(stream)
        expected = pa.Table.from_batches(list(reader), reader.schema)
    for file in sorted(glob.glob(f"{source.removesuffix('.arrows')}.*.parquet")):
        files += 1
        try:
            table = read(file)
            for column in expected.column_names:
                values = expected[column]
                if pa.types.is_dictionary(values.type):
                    values = pa.chunked_array([v.dictionary_decode() for v in values.chunks], values.type.value_type)
                want, got = comparable(values.cast(in_spark(values.type))), comparable(table[column])
                if want != got:
                    at = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), -1)
                    problems.append(f"{file} {column} {values.type} of {len(want)} / {len(got)} at {at}: {want[at]!r:.100} / {got[at]!r:.100}")
        except Exception as error:  # noqa: BLE001: whatever a reader throws is what we look for
            problems.append(f"{file}: {type(error).__name__}: {cause_of(error):.500}")

print(json.dumps({"files": files, "problems": problems[:20]}))
