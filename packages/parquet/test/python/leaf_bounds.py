"""What the statistics of a leaf should be, from the values that lie in it, and whether they are."""

import decimal
import math
import struct

import pyarrow as pa

LONGEST = 64


def leaf_values(path, t, values):
    """Each leaf below a column with its path in Parquet, its type and the values that are there, in the order of the rows."""
    present = [v for v in values if v is not None]
    if pa.types.is_dictionary(t):
        yield from leaf_values(path, t.value_type, values)
    elif pa.types.is_struct(t):
        for i, field in enumerate(t):
            yield from leaf_values(f"{path}.{field.name}", field.type, [v[i] for v in present])
    elif pa.types.is_map(t):
        for i, (name, field) in enumerate((("key", t.key_type), ("value", t.item_type))):
            yield from leaf_values(f"{path}.key_value.{name}", field, [pair[i] for v in present for pair in v])
    elif pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t):
        yield from leaf_values(f"{path}.list.element", t.value_type, [e for v in present for e in v])
    else:
        yield path, t, [physical(t, v) for v in present]


def physical(t, value):
    """A value as Parquet orders it: numbers, unscaled decimals, bytes."""
    if pa.types.is_floating(t):
        return float(value)
    if pa.types.is_decimal(t):
        return int(value.scaleb(t.scale, decimal.Context(prec=100)))
    return value.encode() if isinstance(value, str) else value


def raw(t, value):
    """A bound as PyArrow gives it, in the form of `physical`."""
    if t == pa.float16():
        return struct.unpack("<e", value)[0]
    if pa.types.is_decimal(t) and isinstance(value, bytes):
        return int.from_bytes(value, "big", signed=True)
    if pa.types.is_unsigned_integer(t):
        return value % 2**64 if t.bit_width == 64 else value % 2**32
    return value


def said(t, text):
    """A bound as the writer gave it, in the form of `physical`."""
    if pa.types.is_boolean(t):
        return text == "true"
    if pa.types.is_floating(t):
        return float(text.replace("Infinity", "inf"))
    if pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t):
        return bytes.fromhex(text)
    return int(text)


def check_chunk(chunk, t, present):
    """What is wrong with the statistics of a column chunk in the footer."""
    statistics = chunk.statistics
    if statistics is None:
        return ["no statistics"]
    problems = []
    nulls = chunk.num_values - len(present)
    if statistics.null_count != nulls:
        problems.append(f"null count {statistics.null_count} instead of {nulls}")
    bounds = (raw(t, statistics.min_raw), raw(t, statistics.max_raw)) if statistics.has_min_max else None
    return problems + check_bounds(t, bounds, present)


def check_file(column, t, present):
    """What is wrong with the statistics that the writer gave of a whole file."""
    problems = []
    if column["valueCount"] - column["nullCount"] != len(present):
        problems.append(f"{column['valueCount'] - column['nullCount']} values instead of {len(present)}")
    nans = sum(v != v for v in present) if pa.types.is_floating(t) else None
    if (column.get("nanCount") or 0) != (nans or 0) or (nans is None and column.get("nanCount") is not None):
        problems.append(f"{column.get('nanCount')} NaN instead of {nans}")
    lower, upper = column["lower"], column["upper"]
    if lower is not None and upper is None and has_no_upper(present):
        return problems
    return problems + check_bounds(t, None if lower is None or upper is None else (said(t, lower), said(t, upper)), present)


def check_bounds(t, bounds, present):
    present = [v for v in present if v == v]
    if bounds is None:
        return [] if not present or has_no_upper(present) else [f"no bounds of {len(present)} values"]
    if not present:
        return [f"bounds {bounds} of no value"]
    low, high = bounds
    least, greatest = min(present), max(present)
    if isinstance(least, bytes) and not pa.types.is_fixed_size_binary(t):
        right = is_lower(t, low, least) and is_upper(t, high, greatest)
    else:
        right = (low, high) == (least, greatest)
    if pa.types.is_floating(t) and ((low == 0 and math.copysign(1, low) > 0) or (high == 0 and math.copysign(1, high) < 0)):
        right = False
    return [] if right else [f"bounds {low!r:.80} {high!r:.80}, should be {least!r:.80} {greatest!r:.80}"]


def is_lower(t, low, least):
    if len(least) <= LONGEST:
        return low == least
    return least.startswith(low) and LONGEST - 4 < len(low) <= LONGEST and is_text(t, low)


def is_upper(t, high, greatest):
    if len(greatest) <= LONGEST:
        return high == greatest
    # Not greater than it must be: the same beginning but for its last character.
    return greatest < high and len(high) <= LONGEST and is_text(t, high) and greatest.startswith(high[: max(0, len(high) - 4)])


def is_text(t, value):
    if pa.types.is_string(t) or pa.types.is_large_string(t):
        value.decode()
    return True


def has_no_upper(present):
    """Whether nothing of 64 bytes is greater."""
    greatest = max((v for v in present if v == v), default=None)
    return isinstance(greatest, bytes) and len(greatest) > LONGEST and (greatest[:64] == b"\xff" * 64 or greatest[:64] == "\U0010ffff".encode() * 16)
