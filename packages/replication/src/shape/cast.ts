import { parsePrimitive, type PrimitiveType, toLiteral } from '@fjord/core';
import type { Call, Compute } from './expression.ts';
import { fits } from './number-ranges.ts';
import { floorDays, floorMod, MICROS_PER_DAY } from './time-functions.ts';
import { formatValue, parseLiteral, type Value } from './value.ts';

type Present = Exclude<Value, null>;
/** Gives undefined for a value that the other type cannot hold. */
type Cast = (value: Present) => Present | undefined;

/** `cast(x, 'type')`: a value that the type cannot hold is rejected. */
export function castOf(call: Call): Compute {
  const cast = castBetween(call.types[0] ?? 'string', call.type);
  return ([value]) => cast(value!) ?? call.reject();
}

/** The conversion between two primitive types that docs/streams.md allows; the engine has refused all others. */
export function castBetween(from: string, to: string): Cast {
  if (from === to) return (value) => value;
  const target = parsePrimitive(to);
  const source = parsePrimitive(from);
  if (source.kind === 'string') return fromText(to);
  switch (target.kind) {
    case 'string':
      return (value) => formatValue(value, from);
    case 'int':
    case 'long':
    case 'decimal':
      return toExact(source, target, to);
    case 'float':
    case 'double':
      return toFloat(source, target.kind);
    case 'date':
      return (value) => floorDays(value as bigint);
    case 'time':
      return (value) => floorMod(value as bigint, MICROS_PER_DAY);
    case 'timestamp':
    case 'timestamptz':
      // A date is its first moment; a moment without time zone is taken as UTC, and the other way round.
      return source.kind === 'date' ? (value) => BigInt(value as number) * MICROS_PER_DAY : (value) => value;
    case 'boolean':
    case 'uuid':
    case 'binary':
    case 'fixed':
      throw new Error(`there is no cast from ${from} to ${to}`);
    default:
      return target satisfies never;
  }
}

function fromText(to: string): Cast {
  const isNumber = /^(?:float|double)$/.test(to);
  return (value) => {
    const text = (value as string).trim();
    if (to === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
    const written = isNumber && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
    const literal = toLiteral(to, written);
    if (literal === undefined) return undefined;
    return to.startsWith('decimal') ? decimalFromText(String(literal), to) : parseLiteral(literal, to);
  };
}

function decimalFromText(text: string, to: string): bigint | undefined {
  const digits = text.split('.')[1]?.length ?? 0;
  const unscaled = BigInt(text.replace('.', ''));
  return inRange(rescale(unscaled, digits, scaleOf(parsePrimitive(to))), to);
}

/** To an integer toward zero, to fewer decimal digits to the nearest (halves away from zero). */
function toExact(source: PrimitiveType, target: PrimitiveType, to: string): Cast {
  const toInteger = target.kind !== 'decimal';
  const scale = scaleOf(target);
  const cast = (value: Present): bigint | undefined => {
    if (source.kind === 'decimal') {
      if (toInteger) return (value as bigint) / 10n ** BigInt(source.scale);
      return rescale(value as bigint, source.scale, scale);
    }
    if (source.kind === 'float' || source.kind === 'double') return fromFloat(value as number, { toInteger, scale });
    return BigInt(value as number | bigint | boolean) * 10n ** BigInt(scale);
  };
  return (value) => {
    const exact = inRange(cast(value), to);
    return target.kind === 'int' && exact !== undefined ? Number(exact) : exact;
  };
}

const inRange = (value: bigint | undefined, type: string) =>
  value !== undefined && fits(value, type) ? value : undefined;

function fromFloat(value: number, { toInteger, scale }: { toInteger: boolean; scale: number }): bigint | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (toInteger) return BigInt(Math.trunc(value));
  // The shortest text that stands for the double, as people read it, not its binary expansion.
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const digits = (mantissa.split('.')[1]?.length ?? 0) - Number(exponent);
  return rescale(BigInt(mantissa.replace('.', '')), digits, scale);
}

/** Moves an unscaled value from one number of digits after the point to another, rounding halves away from zero. */
function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (from <= to) return unscaled * 10n ** BigInt(to - from);
  const divisor = 10n ** BigInt(from - to);
  const half = divisor / 2n;
  return (unscaled < 0n ? unscaled - half : unscaled + half) / divisor;
}

function toFloat(source: PrimitiveType, kind: 'float' | 'double'): Cast {
  const round = kind === 'float' ? Math.fround : (value: number) => value;
  if (source.kind === 'decimal') {
    // By its text, so that it is the nearest double; a division would round twice.
    const type = `decimal(${source.precision},${source.scale})`;
    return (value) => round(Number(formatValue(value, type)));
  }
  return (value) => round(Number(value));
}

const scaleOf = (type: PrimitiveType) => (type.kind === 'decimal' ? type.scale : 0);
