"""Reads a Parquet file with PyArrow and prints its rows, field ids, and the metrics that the data itself and PyIceberg give."""

import json
import math
import sys

import pyarrow.parquet as pq
from pyiceberg.conversions import to_bytes
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.schema import Schema
from pyiceberg.types import BinaryType, PrimitiveType, StringType, UUIDType
from pyiceberg.utils.truncate import truncate_upper_bound_binary_string, truncate_upper_bound_text_string


def field_ids(arrow_type, path, ids):
    for index in range(arrow_type.num_fields):
        child = arrow_type.field(index)
        add_field(child, path, ids)


def add_field(field, path, ids):
    name = f"{path}.{field.name}" if path else field.name
    value = (field.metadata or {}).get(b"PARQUET:field_id")
    if value:
        ids[name] = int(value)
    field_ids(field.type, name, ids)


def bounds(column, iceberg_type):
    values = [v for v in column if v is not None and not (isinstance(v, float) and math.isnan(v))]
    if not values or isinstance(iceberg_type, UUIDType):
        return [None, None]
    low, high = min(values), max(values)
    if isinstance(iceberg_type, StringType):
        low, high = low[:16], truncate_upper_bound_text_string(high, 16)
    if isinstance(iceberg_type, BinaryType):
        low, high = low[:16], truncate_upper_bound_binary_string(high, 16)
    return [None if v is None else to_bytes(iceberg_type, v).hex() for v in (low, high)]


def main(path, schema_json):
    schema = Schema.model_validate_json(schema_json)
    file = pq.ParquetFile(path)
    table = file.read()
    table.validate(full=True)
    ids = {}
    for field in table.schema:
        add_field(field, "", ids)
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=file.metadata,
        stats_columns=compute_statistics_plan(schema, {}),
        parquet_column_mapping=parquet_path_to_id_mapping(schema),
    )
    print(
        json.dumps(
            {
                "rows": [{key: repr(value) for key, value in row.items()} for row in table.to_pylist()],
                "types": {field.name: str(field.type) for field in table.schema},
                "required": [field.name for field in table.schema if not field.nullable],
                "fieldIds": ids,
                "bounds": {
                    field.field_id: bounds(table.column(field.name).to_pylist(), field.field_type)
                    for field in schema.fields
                    if isinstance(field.field_type, PrimitiveType)
                },
                "columnSizes": statistics.column_sizes,
                "valueCounts": statistics.value_counts,
                "nullValueCounts": statistics.null_value_counts,
                "splitOffsets": statistics.split_offsets,
            }
        )
    )


main(*sys.argv[1:])
