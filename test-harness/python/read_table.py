"""Reads an Iceberg table with PyIceberg or DuckDB and prints it as JSON.

stdin: {"reader": "pyiceberg" | "duckdb", ...}; stdout: see canonical.contents.
"""

import json
import sys

from canonical import contents


def main():
    request = json.load(sys.stdin)
    read = {"pyiceberg": read_with_pyiceberg, "duckdb": read_with_duckdb}[request["reader"]]
    json.dump(contents(*read(request)), sys.stdout)


def read_with_pyiceberg(request):
    properties = dict(request.get("properties") or {})
    s3 = request.get("s3")
    if s3:
        properties |= {
            "s3.endpoint": s3["endpoint"],
            "s3.region": s3["region"],
            "s3.access-key-id": s3["accessKeyId"],
            "s3.secret-access-key": s3["secretAccessKey"],
        }
    table = open_table(request, properties)
    options = {}
    if request.get("columns"):
        options["selected_fields"] = tuple(request["columns"])
    if request.get("filter"):
        options["row_filter"] = request["filter"]
    scan = table.scan(**options)
    fields = scan.projection().fields
    return [f.name for f in fields], [str(f.field_type) for f in fields], scan.to_arrow()


def open_table(request, properties):
    if request.get("metadataLocation"):
        from pyiceberg.table import StaticTable

        return StaticTable.from_metadata(request["metadataLocation"], properties)
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog(request["catalogName"], uri=request["catalogUri"], **properties)
    return catalog.load_table(tuple(request["table"]))


def read_with_duckdb(request):
    import duckdb
    from duckdb_extensions import import_extension

    connection = duckdb.connect()
    for extension in ["avro", "iceberg"] + (["httpfs"] if request.get("s3") else []):
        import_extension(extension)
        connection.execute(f"LOAD {extension}")
    connection.execute("SET TimeZone = 'UTC'")
    s3 = request.get("s3")
    if s3:
        scheme, host = s3["endpoint"].split("://")
        settings = {
            "KEY_ID": s3["accessKeyId"],
            "SECRET": s3["secretAccessKey"],
            "REGION": s3["region"],
            "ENDPOINT": host,
            "URL_STYLE": "path",
            "USE_SSL": "true" if scheme == "https" else "false",
        }
        listed = ", ".join(f"{name} {quote(value)}" for name, value in settings.items())
        connection.execute(f"CREATE SECRET (TYPE s3, {listed})")
    connection.execute(f"CREATE VIEW lake AS SELECT * FROM iceberg_scan({quote(request['metadataLocation'])})")
    result = connection.execute(request.get("sql") or "SELECT * FROM lake")
    names = [column[0] for column in result.description]
    types = [str(column[1]) for column in result.description]
    return names, types, result.to_arrow_table()


def quote(text):
    return "'" + text.replace("'", "''") + "'"


main()
