/** `npm run config`: every setting of both apps and of the alerts, its meaning, its default and what it is here. Secrets are hidden. */
import { cacheSettings } from '@parley/cache';
import { queueSettings } from '@parley/queue';
import { alertSettings, describeSettings } from '@parley/runtime';
import { storeSettings } from '@parley/store';
import { apiSettings } from '../apps/api/src/settings.ts';
import { workerSettings } from '../apps/worker/src/settings.ts';

const definitions = {
  ...workerSettings,
  ...storeSettings,
  ...cacheSettings,
  ...queueSettings,
  ...apiSettings,
  ...alertSettings,
};
for (const { name, doc, byDefault, value } of describeSettings(definitions, process.env)) {
  console.log(`${name}=${value}\n  ${doc}\n  default: ${byDefault}`);
}
