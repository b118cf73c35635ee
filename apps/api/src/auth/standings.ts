import { type Directory, Failure, isAway, isEnded, type SessionClaims, type Standing } from '@parley/domain';
import type { Clock, Log } from '@parley/runtime';

interface StandingsDeps {
  readonly directory: Pick<Directory, 'standings'>;
  readonly log: Pick<Log, 'warn'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Users remembered; beyond it the one who was asked for first is forgotten. */
  readonly remember?: number;
}

interface Known {
  readonly standing: Standing | undefined;
  readonly at: number;
}

const REMEMBER = 20_000;
/** A hint takes what is known back at once; this is for hints that are lost. */
const KNOWN_FOR_MS = 60_000;
const USERS_AT_ONCE = 1_000;

/** Why a session is refused that has a valid token: its client must not come back with it. */
export class EndedSession extends Error {
  override readonly name = 'EndedSession';
}

/**
 * Who may not come in although his token is valid. Remembered until a hint says that it has changed; who comes in at once is asked for
 * in one statement. While Postgres is away who is not known to be barred comes in: live sessions are looked at again when it is back.
 */
export class Standings {
  readonly #deps: StandingsDeps;
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<Standing | undefined>>();
  #wanted: string[] = [];

  constructor(deps: StandingsDeps) {
    this.#deps = deps;
  }

  /** Throws `UNAUTHENTICATED` with an `EndedSession` for a cause when the session was ended. */
  async check(userId: string, claims: SessionClaims): Promise<void> {
    if (isEnded(await this.#of(userId), claims)) throw endedSession();
  }

  /** What Postgres says now of these users; those who are not in it are barred from nothing. */
  async ask(userIds: readonly string[]): Promise<Map<string, Standing>> {
    const found = new Map<string, Standing>();
    for (let i = 0; i < userIds.length; i += USERS_AT_ONCE) {
      const standings = await this.#deps.directory.standings(userIds.slice(i, i + USERS_AT_ONCE));
      for (const standing of standings) found.set(standing.userId, standing);
    }
    return found;
  }

  /** What is known of him is no longer true, nor what is on its way. */
  forget(userId: string): void {
    this.#known.delete(userId);
    this.#asked.delete(userId);
  }

  forgetAll(): void {
    this.#known.clear();
    this.#asked.clear();
  }

  async #of(userId: string): Promise<Standing | undefined> {
    const known = this.#known.get(userId);
    if (known && this.#deps.clock.now() - known.at < KNOWN_FOR_MS) return known.standing;
    const asked = this.#asked.get(userId) ?? this.#ask(userId);
    try {
      return await asked;
    } catch (error) {
      if (!isAway(error)) throw error;
      this.#deps.log.warn({ err: error, userId }, 'a user came in whose standing could not be asked for');
      return known?.standing;
    }
  }

  #ask(userId: string): Promise<Standing | undefined> {
    const asked = this.#together(userId).then((standing) => {
      // Unless somebody has said meanwhile that it changed.
      if (this.#asked.get(userId) === asked) this.#keep(userId, standing);
      return standing;
    });
    this.#asked.set(userId, asked);
    const settled = () => {
      if (this.#asked.get(userId) === asked) this.#asked.delete(userId);
    };
    asked.then(settled, settled);
    return asked;
  }

  #batch: Promise<Map<string, Standing>> | null = null;

  /** All who are wanted within one turn of the event loop. */
  async #together(userId: string): Promise<Standing | undefined> {
    this.#wanted.push(userId);
    this.#batch ??= new Promise((resolve) => setImmediate(resolve)).then(() => {
      const wanted = this.#wanted;
      this.#wanted = [];
      this.#batch = null;
      return this.ask(wanted);
    });
    return (await this.#batch).get(userId);
  }

  #keep(userId: string, standing: Standing | undefined): void {
    this.#known.delete(userId);
    this.#known.set(userId, { standing, at: this.#deps.clock.now() });
    const { remember = REMEMBER } = this.#deps;
    const oldest = this.#known.size > remember ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

/** The answer to a token whose session was ended: it is void, and no other try with it helps. */
function endedSession(): Failure {
  return new Failure('UNAUTHENTICATED', 'this session was ended', { cause: new EndedSession() });
}
