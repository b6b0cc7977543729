"""The canonical text of Arrow values: what PostgreSQL prints, but for timestamps and times (ISO, always six digits) and binary (plain hex).

Lists become arrays, structs objects, maps arrays of pairs; null stays null.
"""

import math
import struct
import uuid
from decimal import Decimal

import pyarrow as pa

UNITS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def contents(names, types, table):
    """What a reader prints: the columns, and the rows as canonical values."""
    columns = [canonical(column) for column in table.columns]
    rows = [list(row) for row in zip(*columns)] if columns else []
    return {"columns": [{"name": n, "type": t} for n, t in zip(names, types)], "rows": rows}


def canonical(array):
    """The canonical values of an Arrow array, by its type."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in canonical(chunk)]
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            return [None if v is None else str(uuid.UUID(bytes=v)) for v in array.storage.to_pylist()]
        return canonical(array.storage)
    if pa.types.is_dictionary(kind):
        return canonical(array.dictionary_decode())
    if pa.types.is_nested(kind):
        return canonical_nested(array, kind)
    to_text = scalar_text(kind)
    if pa.types.is_date32(kind):
        array = array.cast(pa.int32())
    elif pa.types.is_timestamp(kind) or pa.types.is_time64(kind):
        array = array.cast(pa.int64())
    return [None if value is None else to_text(value) for value in array.to_pylist()]


def canonical_nested(array, kind):
    valid = array.is_valid().to_pylist()
    if pa.types.is_struct(kind):
        # field(i) ignores the parent's nulls, which is why `valid` is asked.
        children = [canonical(array.field(i)) for i in range(kind.num_fields)]
        names = [kind.field(i).name for i in range(kind.num_fields)]
        return [dict(zip(names, row)) if ok else None for ok, row in zip(valid, zip(*children))]
    if pa.types.is_fixed_size_list(kind):
        values, size = canonical(array.values), kind.list_size
        starts = [(i + array.offset) * size for i in range(len(array))]
        return [values[s : s + size] if ok else None for ok, s in zip(valid, starts)]
    offsets = array.offsets.to_pylist()
    if pa.types.is_map(kind):
        values = [list(pair) for pair in zip(canonical(array.keys), canonical(array.items))]
    else:
        values = canonical(array.values)
    return [values[offsets[i] : offsets[i + 1]] if ok else None for i, ok in enumerate(valid)]


def scalar_text(kind):
    """The function that turns a Python value of a scalar type into text."""
    if pa.types.is_boolean(kind):
        return lambda value: "true" if value else "false"
    if pa.types.is_integer(kind):
        return str
    if pa.types.is_floating(kind):
        single = kind.bit_width == 32
        return lambda value: float_text(value, single)
    if pa.types.is_decimal(kind):
        return lambda value: format(value, "f")
    if pa.types.is_date32(kind):
        return lambda days: date_text(days, "")
    if pa.types.is_time64(kind):
        scale = UNITS_PER_SECOND[kind.unit]
        return lambda units: time_text(units, scale)
    if pa.types.is_timestamp(kind):
        return lambda units: timestamp_text(units, UNITS_PER_SECOND[kind.unit], "Z" if kind.tz else "")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return str
    if pa.types.is_null(kind):
        return str
    return lambda value: value.hex()


def float_text(value, single):
    """The shortest text that reads back as the same float, in PostgreSQL's form."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    shortest = shortest_single(value) if single else repr(value)
    sign, digits, exponent = Decimal(shortest).normalize().as_tuple()
    power = exponent + len(digits) - 1
    mark = "-" if sign else ""
    if -4 <= power < (6 if single else 15):
        return format(Decimal(shortest).normalize(), "f")
    text = "".join(map(str, digits))
    fraction = "." + text[1:] if len(text) > 1 else ""
    return f"{mark}{text[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


def shortest_single(value):
    for precision in range(9):
        text = f"{value:.{precision}e}"
        try:
            if struct.pack("<f", float(text)) == struct.pack("<f", value):
                return text
        except OverflowError:
            continue
    raise AssertionError("nine digits name every float")


def timestamp_text(units, scale, zone):
    days, rest = divmod(units, 86_400 * scale)
    return date_text(days, "T" + time_text(rest, scale) + zone)


def time_text(units, scale):
    seconds, fraction = divmod(units, scale)
    digits = 9 if scale == 1_000_000_000 else 6
    fraction = fraction * (10**digits // scale)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:0{digits}d}"


def date_text(days, time):
    """The proleptic Gregorian date of a day since 1970-01-01, for any year; years before 1 end in BC."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    suffix = "" if year > 0 else " BC"
    return f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}{time}{suffix}"
