"""Says how many rows Spark's scans give out when rows with one value are asked for, by file and column; arguments: the folder of this file, that of the Parquet files."""

import glob
import json
import os
import sys

from pyspark.sql.functions import col, lit

spark.conf.set("spark.sql.adaptive.enabled", "false")  # noqa: F821


def scanned(file, column):
    frame = spark.read.parquet(file)  # noqa: F821
    row = frame.where("id = 3001").select(column).collect()[0][0]
    wanted = frame.where(col(column) == lit(row))
    found = wanted.collect()
    assert found and all(r[column] == row for r in found), f"{file} {column}"
    leaves = wanted._jdf.queryExecution().executedPlan().collectLeaves()
    return leaves.head().metrics().apply("numOutputRows").value()


result = {}
for file in sorted(glob.glob(f"{sys.argv[2]}/*.parquet")):
    name = os.path.basename(file).removesuffix(".parquet")
    columns = ("id", "number") if name in ("neither", "bloom") else ("id", "small", "day", "price", "at", "real", "word", "number")
    result[name] = {column: scanned(file, column) for column in columns}
print(json.dumps(result))
