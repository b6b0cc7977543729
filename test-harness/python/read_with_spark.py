"""Reads an Iceberg table by its metadata file with the session that `runSpark` has made; arguments: the metadata file, the folder of this one."""

import json
import sys

sys.path.insert(0, sys.argv[2])
from canonical import contents  # noqa: E402

frame = spark.read.format("iceberg").load(sys.argv[1])  # noqa: F821
types = [field.dataType.simpleString() for field in frame.schema.fields]
print(json.dumps(contents(frame.columns, types, frame.toArrow())))
