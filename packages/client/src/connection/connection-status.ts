import { CLOSE_CODES } from '@parley/protocol';
import { createStore, type Store } from '../store.ts';

/** After this many failures in a row the user is told that the server cannot be reached. The attempts go on. */
const OFFLINE_AFTER = 4;

/**
 * `connecting`: for the first time · `connected` · `reconnecting`: lost a moment ago · `offline`: lost for longer, attempts go on ·
 * `stopped`: for good, by `stop` or by the server, whose reason is in `closeCode`.
 */
export interface ConnectionState {
  readonly status: 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'stopped';
  readonly closeCode: number | null;
  /** The close code's name in the contract, for a message to the user. */
  readonly reason: keyof typeof CLOSE_CODES | null;
}

/** How a connection is, by what happened to it. */
export class ConnectionStatus {
  readonly #state = createStore<ConnectionState>({ status: 'connecting', closeCode: null, reason: null });
  /** Lost or not opened since the server last proved that it takes us. */
  #failures = 0;
  #wasProven = false;

  get state(): Store<ConnectionState> {
    return this.#state;
  }

  get isStopped(): boolean {
    return this.#state.getSnapshot().status === 'stopped';
  }

  get failures(): number {
    return this.#failures;
  }

  /** The server answered: it takes us. */
  proven(): void {
    this.#failures = 0;
    this.#wasProven = true;
    this.#set('connected', null);
  }

  lost(): void {
    this.#failures += 1;
    const beforeOffline = this.#wasProven ? 'reconnecting' : 'connecting';
    this.#set(this.#failures >= OFFLINE_AFTER ? 'offline' : beforeOffline, null);
  }

  /** For good; with no code of its own it keeps the one that it has. */
  stop(closeCode: number | null = this.#state.getSnapshot().closeCode): void {
    this.#set('stopped', closeCode);
  }

  #set(status: ConnectionState['status'], closeCode: number | null): void {
    const before = this.#state.getSnapshot();
    // What is stopped stays so, whatever is still reported.
    if (this.isStopped || (before.status === status && before.closeCode === closeCode)) return;
    this.#state.set({ status, closeCode, reason: nameOf(closeCode) });
  }
}

function nameOf(closeCode: number | null): ConnectionState['reason'] {
  const names = Object.keys(CLOSE_CODES) as (keyof typeof CLOSE_CODES)[];
  return names.find((name) => CLOSE_CODES[name] === closeCode) ?? null;
}
