"""Writes random Arrow streams: make_tables.py FOLDER SEED COUNT [all|spark]. Every type that the writer takes, nested and not, many shapes of nulls and batches."""

import decimal
import random
import sys

import pyarrow as pa

folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
reader = sys.argv[4] if len(sys.argv) > 4 else "all"


def primitive_types():
    return [t for t in all_types() if reader == "all" or in_spark(t)]


def in_spark(t):
    """Whether plain Spark reads the type: it has no half floats, times of day, nulls, and no decimals of more than 38 digits."""
    return not (t == pa.float16() or pa.types.is_time(t) or pa.types.is_null(t) or t == pa.decimal256(50, 7))


def all_types():
    return [
        pa.bool_(),
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
        pa.float16(), pa.float32(), pa.float64(),
        pa.decimal128(1, 0), pa.decimal128(9, 2), pa.decimal128(18, 18), pa.decimal128(19, 4), pa.decimal128(38, 10),
        pa.decimal256(50, 7), pa.decimal256(7, 3), pa.decimal32(8, 3), pa.decimal64(17, 2), pa.decimal64(5, 2),
        pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
        pa.timestamp("s"), pa.timestamp("ms", "UTC"), pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.timestamp("ns"), pa.timestamp("ns", "UTC"),
        pa.duration("us"),
        pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(16), pa.binary(3),
        pa.null(),
    ]  # fmt: skip


INTS = {"int8": (8, True), "int16": (16, True), "int32": (32, True), "int64": (64, True)}
INTS |= {f"u{name}": (bits, False) for name, (bits, _) in INTS.items()}


def integer(rng, bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    pick = rng.random()
    if pick < 0.15:
        return rng.choice([low, high, 0, max(low, -1), 1])
    if pick < 0.6:
        return rng.randint(max(low, -300), min(high, 300))
    return rng.randint(low, high)


def text(rng):
    pick = rng.random()
    if pick < 0.2:
        return rng.choice(["", "a", "a\0", "\0", "é", "😀", "zzzzzzzz", "zzzzzzzy", "\U0010ffff" * 20])
    if pick < 0.3:
        return "".join(rng.choice("abz😀é") for _ in range(rng.randint(40, 300)))
    return "".join(rng.choice("abcdefgh ") for _ in range(rng.randint(0, 20)))


def floating(rng, t):
    value = rng.choice([0.0, -0.0, 1.5, -2.25, float("nan"), float("inf"), float("-inf"), 1e30, rng.random(), rng.uniform(-1e6, 1e6)])
    return value if t != pa.float16() else max(-65000.0, min(65000.0, value)) if value == value and abs(value) != float("inf") else value


def value(rng, t, few):
    if few and rng.random() < 0.98:
        rng = random.Random(rng.randint(0, 6))
    name = str(t)
    if pa.types.is_boolean(t):
        return rng.random() < 0.5
    if name in INTS:
        return integer(rng, *INTS[name])
    if pa.types.is_floating(t):
        return floating(rng, t)
    if pa.types.is_decimal(t):
        digits = rng.randint(1, t.precision)
        return decimal.Decimal(rng.randint(-(10**digits) + 1, 10**digits - 1)).scaleb(-t.scale, decimal.Context(prec=80))
    if pa.types.is_date32(t):
        return rng.randint(-719162, 2932896)
    if pa.types.is_date64(t):
        return rng.randint(-719162, 2932896) * 86_400_000
    if pa.types.is_time(t):
        return rng.randint(0, {"s": 86_399, "ms": 86_399_999, "us": 86_399_999_999, "ns": 86_399_999_999_999}[t.unit])
    if pa.types.is_timestamp(t):
        return rng.choice([0, -1, 1, rng.randint(-(2**52), 2**52) >> (16 if t.unit == "s" else 0)])
    if pa.types.is_duration(t):
        return rng.randint(-(2**60), 2**60)
    if pa.types.is_string(t) or pa.types.is_large_string(t):
        return text(rng)
    if pa.types.is_fixed_size_binary(t):
        return rng.randbytes(t.byte_width)
    if pa.types.is_binary(t) or pa.types.is_large_binary(t):
        return rng.choice([b"", b"\xff" * rng.randint(1, 100), rng.randbytes(rng.randint(0, 30)), text(rng).encode()])
    if pa.types.is_struct(t):
        return {f.name: maybe(rng, f, few) for f in t}
    if pa.types.is_fixed_size_list(t):
        return [maybe(rng, t.value_field, few) for _ in range(t.list_size)]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return [maybe(rng, t.value_field, few) for _ in range(rng.choice([0, 1, 1, 2, 5]))]
    if pa.types.is_map(t):
        return [(value(rng, t.key_type, few), maybe(rng, t.item_field, few)) for _ in range(rng.choice([0, 1, 3]))]
    raise TypeError(t)


def maybe(rng, field, few, null_share=0.2):
    if field.nullable and (pa.types.is_null(field.type) or rng.random() < null_share):
        return None
    return value(rng, field.type, few)


def random_type(rng, depth):
    pick = rng.random()
    if depth == 0 or pick < 0.4:
        return rng.choice(primitive_types())
    nullable = rng.random() < 0.7
    inner = random_type(rng, depth - 1)
    field = pa.field("item", inner, nullable or pa.types.is_null(inner))
    if pick < 0.6:
        return pa.struct([pa.field(f"f{i}", x, rng.random() < 0.7 or pa.types.is_null(x)) for i, x in enumerate(random_type(rng, depth - 1) for _ in range(rng.randint(1, 3)))])
    if pick < 0.75:
        return pa.list_(field)
    if pick < 0.85:
        return pa.large_list(field)
    if pick < 0.9:
        return pa.list_(field, rng.randint(1, 3))
    return pa.map_(rng.choice([pa.string(), pa.int32()]), field.with_name("value"))


def make(rng, index):
    shape = rng.choice(["flat", "flat", "nested"])
    if index == 0:
        types = primitive_types()
    else:
        types = [rng.choice(primitive_types()) if shape == "flat" else random_type(rng, 4) for _ in range(rng.randint(1, 8))]
    fields = []
    for i, t in enumerate(types):
        if rng.random() < 0.15 and (pa.types.is_string(t) or t in (pa.int64(), pa.decimal128(9, 2), pa.bool_())):
            t = pa.dictionary(rng.choice([pa.int8(), pa.uint16(), pa.int32(), pa.int64()]), t)
        fields.append(pa.field(f"c{i}", t, rng.random() < 0.75 or pa.types.is_null(t), {"PARQUET:field_id": str(i + 1)}))
    schema = pa.schema(fields)
    few = {f.name: rng.random() < 0.4 for f in fields}
    null_share = {f.name: rng.choice([0, 0, 0.05, 0.5, 1]) for f in fields}
    batches = []
    for _ in range(rng.randint(1, 5)):
        rows = rng.choice([0, 1, 7, 8, 9, 100, rng.randint(1, 3000)]) if shape == "flat" else rng.choice([0, 1, 9, 100])
        offset = rng.choice([0, 0, 1, 5])
        arrays = []
        for f in fields:
            dictionary = pa.types.is_dictionary(f.type)
            plain = f.with_type(f.type.value_type) if dictionary else f
            if dictionary:
                pool = [value(rng, plain.type, True) for _ in range(5)] + ([None] if f.nullable else [])
                values = [None if f.nullable and rng.random() < null_share[f.name] else rng.randrange(len(pool)) for _ in range(rows + offset)]
                array = pa.DictionaryArray.from_arrays(pa.array(values, f.type.index_type), pa.array(pool, plain.type))
            else:
                values = [maybe(rng, f, few[f.name], null_share[f.name]) for _ in range(rows + offset)]
                if rng.random() < 0.2 and pa.types.is_integer(f.type) and not f.nullable:
                    start = rng.randint(0, 100)
                    values = [start + k // 25 for k in range(rows + offset)] if f.type.bit_width > 8 else values
                array = pa.array(values, f.type)
            arrays.append(array.slice(offset))
        batches.append(pa.record_batch(arrays, schema=schema))
    with pa.OSFile(f"{folder}/{index}.arrows", "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            # A stream may hold one dictionary a column only: dictionaries that change would replace the earlier.
            writer.write_batch(batch)


for number in range(count):
    make(random.Random(seed * 1_000_003 + number), number)
