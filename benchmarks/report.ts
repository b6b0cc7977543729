import type { LoadResult } from './load.ts';

/** A load's figures for people, a few lines. */
export function describeLoad(result: LoadResult): string {
  const { name, rows, machine, wallS, rowsPerS, cpuS, cpuParts, peakRssMB, peakPssMB, rssPartsMB } = result;
  const { floorRowsPerS, floor1RowsPerS, cellsPerS, postgresCpuS, bytesWritten, files } = result;
  const share = floorRowsPerS === undefined ? '' : `, ${((100 * rowsPerS) / floorRowsPerS).toFixed(0)} % of the floor`;
  const lines = [
    [name, `${count(rows)} rows, ${machine.cores} x ${machine.cpu}, ${machine.memoryGB} GB`],
    [
      'floor',
      floorRowsPerS && `${count(floorRowsPerS)} rows/s over two connections, ${count(floor1RowsPerS)} over one`,
    ],
    ['load', `${wallS.toFixed(1)} s, ${count(rowsPerS)} rows/s${share}`],
    ['cells', cellsPerS && `${count(cellsPerS)} cells/s`],
    ['CPU', `${cpuS.toFixed(1)} s (${((1e6 * cpuS) / rows).toFixed(2)} µs a row): ${parts(cpuParts, 's', 1)}`],
    ['cores used', `${(cpuS / wallS).toFixed(2)} by Fjord${used(postgresCpuS, wallS)}`],
    ['memory', `${peakRssMB} MB RSS, ${peakPssMB} MB PSS at the peak; ${parts(rssPartsMB, 'MB', 0)}`],
    [
      'written',
      bytesWritten && `${(bytesWritten / 1e6).toFixed(0)} MB in ${files} data ${files === 1 ? 'file' : 'files'}`,
    ],
  ];
  return lines.flatMap(([title, text]) => (text ? [`${String(title).padEnd(16)}  ${text}\n`] : [])).join('');
}

/** The JSON line: rates and memory as whole numbers, seconds and ratios to the hundredth. */
export function toJsonLine(result: object): string {
  return JSON.stringify(result, (key, value: unknown) => {
    if (typeof value !== 'number') return value;
    const isSeconds = key.endsWith('S') && !key.endsWith('PerS');
    if (key.endsWith('Ratio') || key.endsWith('Ms')) return Math.round(value * 1000) / 1000;
    const isPart = key === 'engine' || key === 'source' || key === 'destination';
    return isSeconds || isPart || key.endsWith('Ratio') ? Math.round(value * 100) / 100 : Math.round(value);
  });
}

const count = (value = 0) => Math.round(value).toLocaleString('en-US');

const used = (cpuS: number | undefined, wallS: number) =>
  cpuS === undefined ? '' : `, ${(cpuS / wallS).toFixed(2)} by PostgreSQL (${cpuS.toFixed(1)} s)`;

const parts = (figures: Record<string, number>, unit: string, digits: number) =>
  Object.entries(figures)
    .map(([part, value]) => `${part} ${value.toFixed(digits)} ${unit}`)
    .join(', ');
