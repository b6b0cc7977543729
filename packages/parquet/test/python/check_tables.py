"""Compares Parquet files with the Arrow streams they were made from: check_tables.py FOLDER. Prints one JSON line: how much was compared, and what differs.

FOLDER has N.arrows and, of each, any number of N.*.parquet."""

import glob
import json
import os
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from comparable import comparable

folder = sys.argv[1]
problems = []
compared = {"files": 0, "columns": 0, "bounds": 0, "duckdb": 0}


def check_values(name, expected, file):
    table = pq.ParquetFile(file, page_checksum_verification=True).read()
    if table.num_rows != expected.num_rows:
        problems.append(f"{file}: {table.num_rows} rows instead of {expected.num_rows}")
        return
    for column in expected.column_names:
        compared["columns"] += 1
        want, got = comparable(expected[column]), comparable(table[column])
        if want != got:
            at = next(i for i, (a, b) in enumerate(zip(want, got)) if a != b) if len(want) == len(got) else -1
            problems.append(f"{file} {column} {expected.schema.field(column).type}: differs at {at}: {str(want[at])[:80]} / {str(got[at])[:80]}")


def check_bounds(expected, file):
    metadata = pq.ParquetFile(file, page_checksum_verification=True).metadata
    first = 0
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        for c in range(group.num_columns):
            chunk = group.column(c)
            if "." in chunk.path_in_schema or not chunk.is_stats_set:
                continue
            statistics = chunk.statistics
            values = expected[chunk.path_in_schema].slice(first, group.num_rows)
            if pa.types.is_dictionary(values.type):
                values = pa.chunked_array([v.dictionary_decode() for v in values.chunks], values.type.value_type)
            where = f"{file} group {g} {chunk.path_in_schema} {values.type}"
            compared["bounds"] += 1
            if statistics.null_count != values.null_count:
                problems.append(f"{where}: null count {statistics.null_count} instead of {values.null_count}")
            if not statistics.has_min_max or not pc_orderable(values.type):
                continue
            present = [v for v in comparable(values) if v is not None and v != "NaN"]
            if pa.types.is_floating(values.type):
                present = [float(v) for v in present]
                low, high = (half(v) if isinstance(v, bytes) else float(v) for v in (statistics.min, statistics.max))
                if [low, high] != [min(present), max(present)]:
                    problems.append(f"{where}: bounds {low} {high}, should be {min(present)} {max(present)}")
                continue
            low, high = raw(statistics.min, values.type), raw(statistics.max, values.type)
            if isinstance(low, bytes) and not pa.types.is_fixed_size_binary(values.type):
                present = [v.encode() if isinstance(v, str) else v for v in present]
                exact = max(map(len, present)) <= 64
                wrong = [low, high] != [min(present), max(present)] if exact else not (low <= min(present) and high >= max(present))
            else:
                wrong = [low, high] != [min(present), max(present)]
            if wrong:
                problems.append(f"{where}: bounds {low} {high}, should be {min(present)} {max(present)}")
        first += group.num_rows


def pc_orderable(t):
    return not (pa.types.is_temporal(t) or pa.types.is_nested(t) or pa.types.is_null(t) or t == pa.binary(16))


def half(value):
    return struct.unpack("<e", value)[0]


def raw(value, t):
    return value.encode() if isinstance(value, str) else value


def check_duckdb(expected, file):
    """Counts, by column: DuckDB reads every page of every column it can."""
    flat = [c for c in expected.column_names if not pa.types.is_null(expected.schema.field(c).type) and duckdb_reads(expected.schema.field(c).type)]
    if not flat:
        return
    counts = ", ".join(f'count("{c}")' for c in flat)
    found = duckdb.sql(f"select {counts} from read_parquet('{file}')").fetchone()
    wanted = tuple(expected.num_rows - nulls(expected[c]) for c in flat)
    compared["duckdb"] += len(flat)
    if found != wanted:
        problems.append(f"{file}: DuckDB counts {found} instead of {wanted}")
    for c in flat:
        t = expected.schema.field(c).type
        if t in (pa.int64(), pa.int32(), pa.string(), pa.date32()):
            column = expected[c].drop_null()
            for v in column.slice(len(column) // 2, 1).to_pylist():
                found = duckdb.execute(f"select count(*) from read_parquet('{file}') where \"{c}\" = ?", [v]).fetchone()[0]
                wanted = pc.sum(pc.equal(column, pa.scalar(v, t))).as_py()
                compared["duckdb"] += 1
                if found != wanted:
                    problems.append(f"{file} {c}: DuckDB finds {found} rows instead of {wanted}")


def duckdb_reads(t):
    if pa.types.is_decimal(t):
        return t.precision <= 38
    if pa.types.is_nested(t):
        return all(duckdb_reads(t.field(i).type) for i in range(t.num_fields))
    return not pa.types.is_null(t)


def nulls(column):
    return sum(v is None for v in comparable(column)) if pa.types.is_dictionary(column.type) else column.null_count


for source in sorted(glob.glob(f"{folder}/*.arrows")):
    with pa.OSFile(source, "rb") as stream:
        reader = pa.ipc.open_stream(stream)
        expected = pa.Table.from_batches(list(reader), reader.schema)
    for file in sorted(glob.glob(f"{source.removesuffix('.arrows')}.*.parquet")):
        compared["files"] += 1
        try:
            check_values(os.path.basename(source), expected, file)
            check_bounds(expected, file)
            check_duckdb(expected, file)
        except Exception as error:  # noqa: BLE001: whatever a reader throws is what we look for
            problems.append(f"{file}: {type(error).__name__}: {str(error)[:300]}")

print(json.dumps({"compared": compared, "problems": problems}))
