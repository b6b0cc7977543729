"""Compares Parquet files with the Arrow streams they were made from: check_tables.py FOLDER. Prints one JSON line: how much was compared, and what differs.

FOLDER has N.arrows and, of each, any number of N.M.parquet with N.M.json (statistics of the writer) and N.M.wasm (a stream of what parquet-wasm read)."""

import glob
import json
import os
import sys
from collections import Counter

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from comparable import comparable
from leaf_bounds import check_chunk, check_file, leaf_values

problems = []
compared = Counter()


def read_stream(path):
    with pa.OSFile(path, "rb") as stream:
        reader = pa.ipc.open_stream(stream)
        return pa.Table.from_batches(list(reader), reader.schema)


def check_values(expected, table, where):
    if table.num_rows != expected.num_rows:
        problems.append(f"{where}: {table.num_rows} rows instead of {expected.num_rows}")
        return
    for column in expected.column_names:
        compared["columns"] += 1
        want, got = comparable(expected[column]), comparable(table[column])
        if want != got:
            at = next(i for i, (a, b) in enumerate(zip(want, got)) if a != b) if len(want) == len(got) else -1
            problems.append(f"{where} {column} {expected.schema.field(column).type}: differs at {at}: {str(want[at])[:80]} / {str(got[at])[:80]}")


def check_bounds(expected, metadata, where):
    first = 0
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        chunks = {group.column(c).path_in_schema: group.column(c) for c in range(group.num_columns)}
        for name in expected.column_names:
            values = comparable(expected[name].slice(first, group.num_rows))
            for path, leaf, present in leaf_values(name, expected.schema.field(name).type, values):
                compared["bounds"] += 1
                problems.extend(f"{where} group {g} {path} {leaf}: {p}" for p in check_chunk(chunks[path], leaf, present))
        first += group.num_rows


def check_statistics(expected, said, metadata, where):
    columns = {".".join(c["path"]): c for c in said["columns"]}
    if (said["rowCount"], said["byteLength"]) != (expected.num_rows, os.path.getsize(where)):
        problems.append(f"{where}: said to have {said['rowCount']} rows in {said['byteLength']} bytes")
    stored = Counter()
    for g in range(metadata.num_row_groups):
        for c in range(metadata.num_columns):
            stored[metadata.row_group(g).column(c).path_in_schema] += metadata.row_group(g).column(c).total_compressed_size
    for name in expected.column_names:
        for path, leaf, present in leaf_values(name, expected.schema.field(name).type, comparable(expected[name])):
            compared["statistics"] += 1
            problems.extend(f"{where} {path} {leaf}: {p}" for p in check_file(columns[path], leaf, present))
            if columns[path]["compressedBytes"] != stored[path]:
                problems.append(f"{where} {path}: {columns[path]['compressedBytes']} bytes instead of {stored[path]}")


def check_duckdb(expected, file, bloom):
    """Counts, by column, of values and of those that are equal, less, greater: what a wrong statistic or bloom filter hides is missing then."""
    flat = [c for c in expected.column_names if duckdb_reads(expected.schema.field(c).type)]
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
        # DuckDB 1.5 looks for the escaped text of binary values in a bloom filter, and so finds none.
        if not filterable(t) or (c in bloom and (pa.types.is_binary(t) or pa.types.is_large_binary(t))):
            continue
        column = expected[c].drop_null()
        for v in column.slice(len(column) // 2, 1).to_pylist():
            for sign, compare in {"=": pc.equal, ">": pc.greater, "<=": pc.less_equal}.items():
                found = duckdb.execute(f"select count(*) from read_parquet('{file}') where \"{c}\" {sign} ?", [v]).fetchone()[0]
                wanted = pc.sum(compare(column, pa.scalar(v, t))).as_py()
                compared["filters"] += 1
                if found != wanted:
                    problems.append(f"{file} {c} {t} {sign} {v!r:.60}: DuckDB finds {found} rows instead of {wanted}")


def filterable(t):
    return pa.types.is_integer(t) or pa.types.is_date32(t) or t in (pa.string(), pa.binary(), pa.large_string(), pa.bool_(), pa.timestamp("us"))


def duckdb_reads(t):
    if pa.types.is_decimal(t):
        return t.precision <= 38
    if pa.types.is_nested(t):
        return all(duckdb_reads(t.field(i).type) for i in range(t.num_fields))
    return not pa.types.is_null(t)


def nulls(column):
    return sum(v is None for v in comparable(column)) if pa.types.is_dictionary(column.type) else column.null_count


for source in sorted(glob.glob(f"{sys.argv[1]}/*.arrows")):
    expected = read_stream(source)
    for file in sorted(glob.glob(f"{source.removesuffix('.arrows')}.*.parquet")):
        compared["files"] += 1
        try:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            check_values(expected, parquet.read(), file)
            with open(file.replace(".parquet", ".json")) as text:
                said = json.load(text)
            check_statistics(expected, said, parquet.metadata, file)
            check_bounds(expected, parquet.metadata, file)
            check_duckdb(expected, file, said["options"]["bloomFilters"])
            if os.path.exists(file.replace(".parquet", ".wasm")):
                compared["wasm"] += 1
                check_values(expected, read_stream(file.replace(".parquet", ".wasm")), file.replace(".parquet", ".wasm"))
        except Exception as error:  # noqa: BLE001: whatever a reader throws is what we look for
            problems.append(f"{file}: {type(error).__name__}: {str(error)[:300]}")

print(json.dumps({"compared": compared, "problems": problems[:30]}))
