import { encodeFixed, footerOf } from './footers.ts';
import { type DataFile, encodeValue, type PrimitiveType, type Value } from '@fjord/iceberg';
import { describe, expect, test } from 'vitest';
import { footerMetrics } from '../../src/parquet/footer-metrics.ts';
import { leafTypes } from '../../src/parquet/metrics.ts';

type Bounds = [lower: Uint8Array | undefined, upper: Uint8Array | undefined];

function boundsOf(type: PrimitiveType, groups: Bounds[], physicalType = 6): Bounds {
  const footer = footerOf(
    groups.map(([min, max]) => ({ min, max })),
    { physicalType },
  );
  const metrics: Pick<DataFile, 'lowerBounds' | 'upperBounds'> = footerMetrics(footer, new Map([[1, type]]));
  return [metrics.lowerBounds?.get(1), metrics.upperBounds?.get(1)];
}

const valuesOf = (type: PrimitiveType, [lower, upper]: [Value, Value]): Bounds => [
  encodeValue(type, lower),
  encodeValue(type, upper),
];
const text = (value: string) => new TextEncoder().encode(value);
const hex = (value: string) => Uint8Array.from(Buffer.from(value, 'hex'));

describe('footerMetrics merges row groups in the order of the type', () => {
  test.each<[PrimitiveType, [Value, Value][], [Value, Value]]>([
    [
      'int',
      [
        [1, 255],
        [-256, 2],
        [0, 256],
      ],
      [-256, 256],
    ],
    [
      'long',
      [
        [1n, 255n],
        [-(2n ** 63n), 0n],
        [3n, 2n ** 62n],
      ],
      [-(2n ** 63n), 2n ** 62n],
    ],
    [
      'date',
      [
        [-1, 0],
        [-719_162, 19_000],
      ],
      [-719_162, 19_000],
    ],
    [
      'time',
      [
        [5n, 6n],
        [1n, 86_399_999_999n],
      ],
      [1n, 86_399_999_999n],
    ],
    [
      'timestamp',
      [
        [-1n, 1n],
        [-300n, 300n],
      ],
      [-300n, 300n],
    ],
    [
      'timestamptz',
      [
        [256n, 256n],
        [255n, 257n],
      ],
      [255n, 257n],
    ],
    [
      'float',
      [
        [-1, 1],
        [-2.5, 0.5],
      ],
      [-2.5, 1],
    ],
    [
      'double',
      [
        [-1, 1e-300],
        [-1e300, 0.25],
      ],
      [-1e300, 0.25],
    ],
    [
      'boolean',
      [
        [false, false],
        [true, true],
      ],
      [false, true],
    ],
    [
      'string',
      [
        ['b', 'é'],
        ['a', 'z'],
        ['c', '😀'],
      ],
      ['a', '😀'],
    ],
  ])('%s', (type, groups, merged) => {
    expect(
      boundsOf(
        type,
        groups.map((group) => valuesOf(type, group)),
      ),
    ).toEqual(valuesOf(type, merged));
  });

  test.each<[string, number, [string, string][], [string, string]]>([
    [
      'INT32, little-endian',
      1,
      [
        ['01000000', 'ff000000'],
        ['00ffffff', '02000000'],
      ],
      ['ff00', '00ff'],
    ],
    ['INT64, little-endian', 2, [['9cffffffffffffff', '0001000000000000']], ['9c', '0100']],
    [
      'fixed, big-endian',
      7,
      [
        ['0000000005', '00000000ff'],
        ['ffffffff80', '0000000100'],
      ],
      ['80', '0100'],
    ],
    [
      'bytes of different lengths',
      6,
      [
        ['05', '00ff'],
        ['fe', '7f'],
      ],
      ['fe', '00ff'],
    ],
    ['zero', 7, [['0000', '0000']], ['00', '00']],
  ])('decimals stored as %s', (_, physicalType, groups, [lower, upper]) => {
    const stored = groups.map(([min, max]): Bounds => [hex(min), hex(max)]);
    expect(boundsOf('decimal(38, 2)', stored, physicalType)).toEqual([hex(lower), hex(upper)]);
  });

  test('fixed values by unsigned bytes', () => {
    const groups: Bounds[] = [
      [hex('7f00'), hex('80ff')],
      [hex('01ff'), hex('7fff')],
    ];
    expect(boundsOf('fixed[2]', groups)).toEqual([hex('01ff'), hex('80ff')]);
  });
});

describe('footerMetrics leaves a bound out', () => {
  test('when one row group has no statistic', () => {
    expect(boundsOf('int', [valuesOf('int', [1, 2]), [undefined, undefined]])).toEqual([undefined, undefined]);
  });

  test('when a statistic is NaN', () => {
    expect(boundsOf('double', [valuesOf('double', [1, Number.NaN]), valuesOf('double', [0, 3])])).toEqual([
      encodeFixed('8000000000000000'),
      undefined,
    ]);
  });

  test('for uuids, whose order readers disagree on', () => {
    expect(boundsOf('uuid', [[new Uint8Array(16), new Uint8Array(16).fill(255)]])).toEqual([undefined, undefined]);
  });

  test('when a column holds nothing but nulls', () => {
    const footer = footerOf([{ nullCount: 10n }, { nullCount: 10n }]);
    const metrics = footerMetrics(footer, new Map([[1, 'int']]));
    expect(metrics.nullValueCounts).toEqual(new Map([[1, 20n]]));
    expect([metrics.lowerBounds, metrics.upperBounds]).toEqual([new Map(), new Map()]);
  });

  test('when an upper bound of U+10FFFF cannot be rounded up', () => {
    const highest = '\u{10FFFF}'.repeat(17);
    expect(boundsOf('string', [[text('a'), text(highest)]])).toEqual([text('a'), undefined]);
  });

  test('when a binary upper bound of 0xff cannot be rounded up', () => {
    expect(boundsOf('binary', [[hex('00'), new Uint8Array(17).fill(255)]])).toEqual([hex('00'), undefined]);
  });

  test('inside a list or map, where only counts are kept', () => {
    const footer = footerOf([{ min: encodeValue('int', 1), max: encodeValue('int', 2) }], { isRepeated: true });
    const metrics = footerMetrics(footer, new Map([[1, 'int']]));
    expect([metrics.lowerBounds.size, metrics.upperBounds.size, metrics.valueCounts.get(1)]).toEqual([0, 0, 10n]);
  });
});

describe('footerMetrics keeps bounds valid', () => {
  test('a row group of nulls does not hide the bounds of the others', () => {
    const filled = { min: encodeValue('int', 1), max: encodeValue('int', 2), nullCount: 0n };
    const metrics = footerMetrics(footerOf([filled, { nullCount: 10n }]), new Map([[1, 'int']]));
    expect(metrics.lowerBounds.get(1)).toEqual(encodeValue('int', 1));
    expect(metrics.nullValueCounts.get(1)).toBe(10n);
  });

  test('a zero is -0 below and +0 above', () => {
    expect(boundsOf('double', [valuesOf('double', [0, -0])])).toEqual(valuesOf('double', [-0, 0]));
    expect(boundsOf('float', [valuesOf('float', [0, -0])])).toEqual(valuesOf('float', [-0, 0]));
  });

  test('text is cut at 16 code points, not inside an emoji, and the upper bound rounded up', () => {
    const long = `${'a'.repeat(15)}😀tail`;
    const [lower, upper] = boundsOf('string', [[text(long), text(long)]]);
    expect(lower).toEqual(text(`${'a'.repeat(15)}😀`));
    expect(upper).toEqual(text(`${'a'.repeat(15)}😁`));
  });

  test('the character before those that cannot be raised is raised', () => {
    const [, upper] = boundsOf('string', [[text('a'), text(`b${'\u{10FFFF}'.repeat(16)}`)]]);
    expect(upper).toEqual(text('c'));
  });

  test('bytes are cut at 16, and the upper bound rounded up', () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, index) => index);
    const [lower, upper] = boundsOf('binary', [[bytes, bytes]]);
    expect(lower).toEqual(bytes.slice(0, 16));
    expect(upper).toEqual(Uint8Array.from([...bytes.slice(0, 15), 16]));
  });
});

test('leafTypes reaches into structs, lists and maps', () => {
  const types = leafTypes([
    {
      id: 1,
      name: 's',
      required: true,
      type: { type: 'struct', fields: [{ id: 2, name: 'a', required: true, type: 'int' }] },
    },
    {
      id: 3,
      name: 'l',
      required: true,
      type: { type: 'list', 'element-id': 4, 'element-required': true, element: 'date' },
    },
    {
      id: 5,
      name: 'm',
      required: true,
      type: { type: 'map', 'key-id': 6, key: 'string', 'value-id': 7, 'value-required': false, value: 'uuid' },
    },
  ]);
  expect(types).toEqual(
    new Map([
      [2, 'int'],
      [4, 'date'],
      [6, 'string'],
      [7, 'uuid'],
    ]),
  );
});
