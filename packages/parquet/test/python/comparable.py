"""The values of any Arrow column in a form that compares as it should."""

import math

import pyarrow as pa


def stored_type(t):
    """What an Arrow type comes back as from Parquet."""
    if pa.types.is_dictionary(t):
        return stored_type(t.value_type)
    if pa.types.is_date64(t):
        return pa.date32()
    if t == pa.time32("s"):
        return pa.time32("ms")
    if pa.types.is_timestamp(t) and t.unit == "s":
        return pa.timestamp("ms", t.tz)
    if pa.types.is_duration(t):
        return pa.int64()
    if pa.types.is_decimal(t):
        return pa.decimal256(t.precision, t.scale)
    if pa.types.is_large_string(t):
        return pa.string()
    if pa.types.is_large_binary(t):
        return pa.binary()
    if pa.types.is_null(t):
        return pa.null()
    return t


def plain(value):
    """Values that compare as they should: NaN equal to itself, -0 not to 0, maps as lists of pairs."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def comparable(array):
    """The values of a column of any type as plain Python values; times as integers."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in comparable(chunk)]
    t = array.type
    if pa.types.is_dictionary(t):
        return comparable(array.dictionary_decode())
    if pa.types.is_struct(t):
        fields = [comparable(f) for f in array.flatten()]
        return [None if not ok else [f[i] for f in fields] for i, ok in enumerate(array.is_valid().to_pylist())]
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t) or pa.types.is_map(t):
        valid = array.is_valid().to_pylist()
        if pa.types.is_fixed_size_list(array.type):
            inner = comparable(array.values)
            size = array.type.list_size
            start = array.offset * size
            return [inner[start + i * size : start + (i + 1) * size] if ok else None for i, ok in enumerate(valid)]
        inner = comparable(pa.StructArray.from_arrays([array.keys, array.items], ["k", "v"]) if pa.types.is_map(t) else array.values)
        offsets = array.offsets.to_pylist()
        return [inner[offsets[i] : offsets[i + 1]] if ok else None for i, ok in enumerate(valid)]
    stored = stored_type(t)
    if stored != t:
        array = array.cast(stored)
    if pa.types.is_temporal(stored):
        array = array.cast(pa.int32() if stored.bit_width == 32 else pa.int64())
    return [plain(v) for v in array.to_pylist()]
