"""
Reads Iceberg tables by their metadata files with Iceberg's own generic Java reader, pages checked against their checksums, in the Java of the session that
`runSpark` has made; arguments: the metadata files. Then asks for rows by values that they have: what partitions, metrics, Parquet statistics, page
indexes and bloom filters wrongly rule out is missing. Prints {"columns", "rows", "asked", "missing"} of each, values as text.
"""

import decimal
import json
import sys

SAMPLES = 5

jvm = spark._jvm  # noqa: F821
conf = spark._jsc.hadoopConfiguration()  # noqa: F821
conf.setBoolean("parquet.page.verify-checksum.enabled", True)
io = jvm.org.apache.iceberg.hadoop.HadoopFileIO(conf)

def text(value):
    if value is None:
        return None
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, (str, int, bool)) else value.toString()


def read(table, width, condition=None):
    scan = jvm.org.apache.iceberg.data.IcebergGenerics.read(table)
    records = (scan if condition is None else scan.where(condition)).build()
    try:
        return [[text(record.get(at)) for at in range(width)] for record in records]
    finally:
        records.close()


def contents(location):
    operations = jvm.org.apache.iceberg.StaticTableOperations(location, io)
    table = jvm.org.apache.iceberg.BaseTable(operations, location)
    fields = [(field.name(), str(field.type())) for field in table.schema().columns()]
    rows = read(table, len(fields))
    asked, missing = 0, []
    for at, (name, kind) in enumerate(fields):
        if not kind.startswith(("int", "long", "string", "decimal", "uuid", "date", "timestamp")):
            continue
        values = sorted({row[at] for row in rows if row[at] is not None})
        for value in values[:: max(1, len(values) // SAMPLES)]:
            literal = int(value) if kind in ("int", "long") else value
            condition = jvm.org.apache.iceberg.expressions.Expressions.equal(name, literal)
            found = len(read(table, len(fields), condition))
            asked += 1
            if found != sum(row[at] == value for row in rows):
                missing.append({"column": name, "value": value, "found": found})
    return {"columns": [name for name, _ in fields], "rows": rows, "asked": asked, "missing": missing}


print(json.dumps([contents(location) for location in sys.argv[1:]]))
