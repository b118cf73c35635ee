/** `npm run dashboards`: writes deploy/grafana/dashboards from tools/dashboards. */
import { writeFileSync } from 'node:fs';
import { connections } from './dashboards/connections.ts';
import type { Dashboard } from './dashboards/layout.ts';
import { messages } from './dashboards/messages.ts';
import { overview } from './dashboards/overview.ts';
import { product } from './dashboards/product.ts';
import { stores } from './dashboards/stores.ts';
import { threads } from './dashboards/threads.ts';

/** All dashboards, by the name of their file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  overview,
  messages,
  connections,
  stores,
  threads,
  product,
};

/** The file as it is kept. */
export function keptDashboard(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

if (import.meta.main) {
  for (const [name, dashboard] of Object.entries(dashboards)) {
    writeFileSync(`deploy/grafana/dashboards/${name}.json`, keptDashboard(dashboard));
  }
}
