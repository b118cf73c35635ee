export type { PoolUse } from './database.ts';
export { migrate, migrationNames } from './migrate.ts';
export { type StoreSettings, storeSettings } from './settings.ts';
export { openStore, type Store } from './store.ts';
