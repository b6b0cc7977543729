import type { DuckDBType, DuckDBValue, Json } from '@duckdb/node-api';

type DuckDB = typeof import('@duckdb/node-api');
type Converter = (value: DuckDBValue, type: DuckDBType, converter: Converter) => Json | null;

/** Most digits that a float needs to be read back as the same. */
const FLOAT_DIGITS = 9;

/** Turns DuckDB's values into JSON: whole numbers of 64 bits and decimals exactly, as text; floats by their shortest digits; intervals as DuckDB writes them. */
export function createValueConverter({ DuckDBTypeId, JsonDuckDBValueConverter }: DuckDB): Converter {
  const others = JsonDuckDBValueConverter as Converter;
  const convert: Converter = (value, type) => {
    if (value === null) return null;
    if (type.typeId === DuckDBTypeId.INTERVAL) return String(value);
    if (type.typeId === DuckDBTypeId.FLOAT && typeof value === 'number' && Number.isFinite(value))
      return shortest(value);
    return others(value, type, convert);
  };
  return convert;
}

function shortest(value: number): number {
  for (let digits = 1; digits < FLOAT_DIGITS; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
