export { contentDisposition } from './content-disposition.ts';
export type { FolderStore, Received } from './folder-store.ts';
export { type Files, openFiles, openStorage, type Storage } from './open-files.ts';
export {
  type FilesSettings,
  filesContradictions,
  filesSettings,
  type StorageSettings,
  storageContradictions,
  storageSettings,
} from './settings.ts';
export type { SignedMethod, SignedPaths } from './signed-paths.ts';
