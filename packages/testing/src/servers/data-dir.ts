import { fileURLToPath } from 'node:url';

/** The workspace's own folder for data and downloads; git ignores it. */
export const DATA_DIR = fileURLToPath(new URL('../../../../.data/', import.meta.url));
