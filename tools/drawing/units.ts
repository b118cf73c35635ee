const STEPS: Readonly<Record<string, readonly (readonly [least: number, by: number, unit: string])[]>> = {
  s: [
    [3_600, 3_600, ' h'],
    [60, 60, ' min'],
    [1, 1, ' s'],
    [0.001, 0.001, ' ms'],
    [0, 0.000_001, ' µs'],
  ],
  bytes: [
    [2 ** 30, 2 ** 30, ' GiB'],
    [2 ** 20, 2 ** 20, ' MiB'],
    [2 ** 10, 2 ** 10, ' KiB'],
    [0, 1, ' B'],
  ],
  percentunit: [[0, 0.01, ' %']],
  ms: [[0, 1, ' ms']],
  ops: [[0, 1, '/s']],
};

/** A value with its unit as Grafana names it, in three digits. */
export function withUnit(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '–';
  const steps = STEPS[unit] ?? [[0, 1, '']];
  const [, by, suffix] = steps.find(([least]) => Math.abs(value) >= least) ?? [0, 1, ''];
  const scaled = value / by;
  if (value === 0) return `0${unit === 's' || unit === 'bytes' ? '' : suffix}`;
  return `${scaled >= 1_000 ? Math.round(scaled).toLocaleString('en') : Number(scaled.toPrecision(3))}${suffix}`;
}
