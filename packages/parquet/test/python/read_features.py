"""Says what PyArrow and DuckDB make of a Parquet file's optional parts: read_features.py FILE. Prints one JSON line."""

import json
import sys

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

path = sys.argv[1]
parquet = pq.ParquetFile(path)
metadata = parquet.metadata
groups = range(metadata.num_row_groups)
chunks = [metadata.row_group(g).column(c) for g in groups for c in range(metadata.num_columns)]
table = parquet.read()
# A row of the third of four row groups.
ROW = table.num_rows * 5 // 8 + 1


def key_values():
    rows = duckdb.sql(f"select key, value from parquet_kv_metadata('{path}')").fetchall()
    ours = {k.decode(): v.decode() for k, v in (metadata.metadata or {}).items() if k != b"ARROW:schema"}
    assert ours == {bytes(k).decode(): bytes(v).decode() for k, v in rows}, "PyArrow and DuckDB differ"
    return ours


def groups_left(name):
    """Row groups that PyArrow would read for the rows that equal one value."""
    column = table.column(name)
    value = column[ROW]
    field = ds.field(name)
    [fragment] = ds.dataset(path).get_fragments()
    left = fragment.subset(field == value)
    found = left.to_table(filter=field == value).num_rows
    assert found == sum(v == value for v in column), f"{name}: {found} rows"
    return [group.id for group in left.row_groups]


def bloom_excludes(name):
    value = duckdb.sql(f"select {name} from read_parquet('{path}') limit 1 offset {ROW}").fetchone()[0]
    rows = duckdb.execute(f"select bloom_filter_excludes from parquet_bloom_probe('{path}', '{name}', ?)", [value]).fetchall()
    return [excludes for (excludes,) in rows]


def damaged_page(chunk):
    """What PyArrow says of a file with one bit turned in the last page of a column chunk."""
    start = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
    with open(path, "rb") as file:
        damaged = bytearray(file.read())
    damaged[start + chunk.total_compressed_size - 1] ^= 1
    try:
        pq.ParquetFile(pa.BufferReader(bytes(damaged)), page_checksum_verification=True).read(columns=[chunk.path_in_schema])
    except OSError as error:
        return str(error)
    return "read"


has_all = len(key_values()) > 0
print(
    json.dumps(
        {
            "keyValues": key_values(),
            "sortedBy": [[{k: getattr(s, k) for k in ("column_index", "descending", "nulls_first")} for s in metadata.row_group(g).sorting_columns] for g in groups],
            "logical": {parquet.schema.column(c).path: str(parquet.schema.column(c).logical_type) for c in range(metadata.num_columns)},
            "duckdbTypes": dict(r[:2] for r in duckdb.sql(f"describe select * from read_parquet('{path}')").fetchall()),
            "uuidFound": duckdb.sql(f"select count(*) from read_parquet('{path}') where uid = (select uid from read_parquet('{path}') limit 1 offset {ROW})").fetchone()[0],
            "topFound": duckdb.execute(f"select count(*) from read_parquet('{path}') where top = ?", [b"\xff" * 5]).fetchone()[0],
            # Where bounds are missing there is no index of them.
            "hasIndexes": all(c.has_column_index or c.path_in_schema == "top" for c in chunks) and all(c.has_offset_index for c in chunks),
            "groupsLeft": {name: groups_left(name) for name in ("id", "small", "day", "price", "large", "at", "real", "word", "raw")},
            "bloomExcludes": {name: bloom_excludes(name) for name in ("uid", "word", "number", "price")} if has_all else {},
            "damagedPages": {c.path_in_schema: damaged_page(c) for c in chunks[: metadata.num_columns]} if has_all else {},
        }
    )
)
