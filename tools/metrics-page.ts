/** `npm run metrics-page`: brings the tables of docs/metrics.md up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renewPage } from './metrics/page.ts';
import { describeAll } from './metrics/registries.ts';

const path = fileURLToPath(new URL('../docs/metrics.md', import.meta.url));
writeFileSync(path, renewPage(readFileSync(path, 'utf8'), describeAll()));
// What was put together and never started holds nothing open but timers.
process.exit(0);
