"""Writes the table `shop.sample` below the warehouse argv[1], with its catalog in the folder argv[2], and prints its metadata location.

Further arguments name columns to leave out.
"""

import os
import sys
import uuid
from decimal import Decimal

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FloatType, IntegerType, ListType, LongType, NestedField,
    StringType, TimestampType, TimestamptzType, TimeType, UUIDType,
)  # fmt: skip

LONGS = ListType(20, LongType(), element_required=False)
STRINGS = ListType(21, StringType(), element_required=False)
TYPES = {
    "b": BooleanType(), "i": IntegerType(), "l": LongType(), "f": FloatType(), "d": DoubleType(), "n": DecimalType(18, 4),
    "dt": DateType(), "t": TimeType(), "ts": TimestampType(), "tz": TimestamptzType(), "s": StringType(), "u": UUIDType(),
    "bin": BinaryType(), "li": LONGS, "ls": STRINGS,
}  # fmt: skip
# 2024-01-01 in microseconds
NEW_YEAR = 1_704_067_200_000_000
DULL = [Decimal("1.5"), 0, 1_000_000, NEW_YEAR, NEW_YEAR, "NULL", bytes(16), b"\0", None, None]
ROWS = [
    [True, 2**31 - 1, 2**63 - 1, 0.1, float("nan"), Decimal("99999999999999.9999"), -719_162, 86_399_999_999,
     -62_135_596_800_000_000, 0, 'a"b\\c,{}é😀', uuid.UUID(int=5).bytes, b"\0\xff", [1, None, 2**62],
     ["", "NULL", None, 'a"\\,{}']],
    [None] * 15,
    [False, -(2**31), -(2**63), 3.4028235e38, 1e15, Decimal(0), 2_932_896, 0, 253_402_300_799_999_999,
     1_709_202_896_500_000, "", b"\xff" * 16, b"", [], []],
    [False, 0, 0, -0.0, 123456.78, Decimal("-0.0001"), 11_016, 43_200_500_000, -1, -1, " ",
     uuid.UUID("12345678-9abc-def0-1234-56789abcdef0").bytes, b"\1", [-1], ["x"]],
    [True, 1, 1, 1e-45, 5e-324, *DULL],
    [True, 1, 1, 1e6, float("-inf"), *DULL],
]  # fmt: skip


def main(warehouse, folder, *omitted):
    storage = {"s3.endpoint": "S3_ENDPOINT", "s3.region": "S3_REGION", "s3.access-key-id": "S3_KEY", "s3.secret-access-key": "S3_SECRET"}
    properties = {name: os.environ[variable] for name, variable in storage.items() if variable in os.environ}
    catalog = SqlCatalog("main", uri=f"sqlite:///{folder}/catalog.db", warehouse=warehouse, **properties)
    catalog.create_namespace("shop")
    fields = [NestedField(place + 1, name, type_) for place, (name, type_) in enumerate(TYPES.items()) if name not in omitted]
    table = catalog.create_table("shop.sample", Schema(*fields))
    schema = table.schema().as_arrow()
    places = list(TYPES)
    columns = [column_of(field.type, [row[places.index(field.name)] for row in ROWS]) for field in schema]
    table.append(pa.table(columns, schema=schema))
    print(catalog.load_table("shop.sample").metadata_location)


def column_of(type_, values):
    if pa.types.is_date(type_):
        return pa.array(values, pa.int32()).cast(type_)
    if pa.types.is_timestamp(type_) or pa.types.is_time(type_):
        return pa.array(values, pa.int64()).cast(type_)
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, pa.array(values, type_.storage_type))
    return pa.array(values, type_)


main(*sys.argv[1:])
