export { migrate } from './migrate.ts';
export { type StoreSettings, storeSettings } from './settings.ts';
