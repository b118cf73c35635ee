import type { OutboxEntry } from './entry.ts';
import type { OutboxStorage } from './storage.ts';

const ENTRIES = 'entries';

/** Survives a reload of the page. `name` is the database's: one for each user. */
export function indexedDbOutboxStorage(name: string, factory: IDBFactory = indexedDB): OutboxStorage {
  let opening: Promise<IDBDatabase> | null = null;

  async function database(): Promise<IDBDatabase> {
    opening ??= open(factory, name);
    try {
      const db = await opening;
      // The browser closes it when the page is frozen or the user clears the site's data.
      db.onclose = () => {
        opening = null;
      };
      return db;
    } catch (error) {
      opening = null;
      throw error;
    }
  }

  async function write(change: (entries: IDBObjectStore) => void): Promise<void> {
    const transaction = (await database()).transaction(ENTRIES, 'readwrite');
    change(transaction.objectStore(ENTRIES));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  }

  return {
    async load() {
      const entries = (await database()).transaction(ENTRIES, 'readonly').objectStore(ENTRIES);
      const found: OutboxEntry[] = await settled(entries.getAll());
      return found;
    },
    put: (entry) => write((entries) => entries.put(entry)),
    remove: (id) => write((entries) => entries.delete(id)),
    clear: () => write((entries) => entries.clear()),
  };
}

function open(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = factory.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(ENTRIES, { keyPath: 'id' });
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
