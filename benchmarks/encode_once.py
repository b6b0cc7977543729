"""One encoding by PyArrow (C++) in a process of its own: encode_once.py FOLDER OUTPUT. Prints its CPU and memory as a line of JSON."""

import json
import os
import resource
import struct
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 1_048_576

pa.set_cpu_count(1)
folder, output = sys.argv[1:]
before, start, rows, writer = resource.getrusage(resource.RUSAGE_SELF), time.monotonic(), 0, None
# Batches go into row groups of the same size as the others make.
waiting = []


def flush():
    writer.write_table(pa.Table.from_batches(waiting), row_group_size=ROW_GROUP_ROWS)
    waiting.clear()


with open(f"{folder}/batches", "rb") as file:
    while length := file.read(4):
        for batch in pa.ipc.open_stream(file.read(struct.unpack("<I", length)[0])):
            writer = writer or pq.ParquetWriter(output, batch.schema, compression="zstd", compression_level=1)
            waiting.append(batch)
            rows += batch.num_rows
            if sum(b.num_rows for b in waiting) >= ROW_GROUP_ROWS:
                flush()
if waiting:
    flush()
writer.close()
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
figures = {"rows": rows, "wallS": time.monotonic() - start, "cpuS": cpu, "peakRssMB": after.ru_maxrss / 1024, "bytes": os.path.getsize(output)}
print(json.dumps(figures))
