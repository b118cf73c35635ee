import { readFileSync } from 'node:fs';
import type { Metrics } from './metrics.ts';
import { cpuLimitCores, memoryLimitBytes } from './process-limits.ts';

/** Says of which build a process is, and whether it is leaving. */
export interface ProcessMetrics {
  /** It takes nobody new from now on. */
  draining(): void;
}

/** `manifest` is the package.json that names the version. */
export function measureProcess(metrics: Pick<Metrics, 'gauge'>, manifest: URL): ProcessMetrics {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  let since: number | null = null;
  metrics.gauge('build_info', 'Always 1: the version of the program and of Node', {
    labels: ['version', 'node'],
    aggregator: 'max',
    collect: (gauge) => gauge.set({ version, node: process.version }, 1),
  });
  metrics.gauge('process_cpu_limit_cores', 'Cores that the process may use, in parts of one too', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(cpuLimitCores()),
  });
  metrics.gauge('process_memory_limit_bytes', 'Memory that the process may use', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(memoryLimitBytes()),
  });
  metrics.gauge('process_draining', '1 while the process sends its users elsewhere to end, else 0', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(since === null ? 0 : 1),
  });
  metrics.gauge('process_draining_seconds', 'How long the process has been draining', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(since === null ? 0 : (performance.now() - since) / 1_000),
  });
  return {
    draining: () => {
      since ??= performance.now();
    },
  };
}
