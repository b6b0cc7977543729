"""Writes an Arrow stream of one table whose columns all ascend but for those with bloom filters: make_features.py FILE ROWS."""

import datetime
import decimal
import sys
import uuid

import pyarrow as pa

rows = int(sys.argv[2])
first_day = datetime.date(1900, 1, 1)
numbers = range(-rows // 2, rows - rows // 2)


def scattered(n):
    return (n * 2_654_435_761) % 2**32


table = pa.table(
    {
        "id": pa.array(numbers, pa.int64()),
        "small": pa.array([n // 200 for n in numbers], pa.int16()),
        "day": pa.array([first_day + datetime.timedelta(days=n + rows) for n in numbers], pa.date32()),
        "price": pa.array([decimal.Decimal(n).scaleb(-2) for n in numbers], pa.decimal128(9, 2)),
        "large": pa.array([decimal.Decimal(n) * 10**20 for n in numbers], pa.decimal128(38, 0)),
        "at": pa.array([n * 1_000_000_007 for n in numbers], pa.timestamp("us", "UTC")),
        "real": pa.array([float("nan") if n % 7 == 0 else n / 3 for n in numbers], pa.float64()),
        # Longer than a bound may be: the bounds are shortened.
        "word": pa.array([f"{n + rows:08d}é" + "x" * 100 for n in numbers], pa.string()),
        "raw": pa.array([(n + rows).to_bytes(4, "big") + b"\xff" * 100 for n in numbers], pa.binary()),
        # Nothing of the length of a bound is greater.
        "top": pa.array([b"\xff" * (100 if n % 2 else 5) for n in numbers], pa.binary()),
        "in": pa.array([None if n % 5 == 0 else {"x": n} for n in numbers], pa.struct([("x", pa.int32())])),
        "number": pa.array([scattered(n) for n in range(rows)], pa.int64()),
        "uid": pa.array([uuid.uuid5(uuid.NAMESPACE_OID, str(n)).bytes for n in range(rows)], pa.binary(16)),
        "deep": pa.array([[n, None] for n in range(rows)], pa.list_(pa.int32())),
    }
)
fields = [f.with_metadata({"ARROW:extension:name": "arrow.uuid"}) if f.name == "uid" else f for f in table.schema]
with pa.OSFile(sys.argv[1], "wb") as sink, pa.ipc.new_stream(sink, pa.schema(fields)) as writer:
    for batch in table.to_batches(max_chunksize=3000):
        writer.write_batch(pa.record_batch(batch.columns, schema=pa.schema(fields)))
