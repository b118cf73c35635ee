import { readFileSync } from 'node:fs';
import { reservePort } from '@parley/runtime';
import { type Check, examine, type Finding } from './finding.ts';

interface MachineFacts {
  /** Why an api could not listen; null when it could, or does. */
  readonly port: string | null;
  /** 0: unknown here. */
  readonly openFilesMax: number;
  readonly connectionsMax: number;
  /** Why the issuer's keys cannot be had. */
  readonly keys: string | null;
}

/** Stores, files, and what Node itself has open. */
const FILES_BESIDES = 200;
const ANSWER_MS = 3_000;

const CHECKS: readonly Check<MachineFacts>[] = [
  {
    name: 'port',
    fault: ({ port }) => port,
    cure: 'stop what listens there (`ss -ltnp` names it), or set PORT to another one',
  },
  {
    name: 'open-files',
    fault: ({ openFilesMax, connectionsMax }) =>
      openFilesMax > 0 && openFilesMax < connectionsMax + FILES_BESIDES
        ? `a process may open ${openFilesMax} files, MAX_CONNECTIONS is ${connectionsMax}: connections will be refused`
        : null,
    cure: 'raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd, --ulimit nofile= of Docker), or lower MAX_CONNECTIONS',
  },
  {
    name: 'jwks',
    fault: ({ keys }) => keys,
    cure: 'correct AUTH_JWKS_URL, or let this machine reach the issuer',
  },
];

interface MachineSettings {
  readonly host: string;
  readonly port: number;
  readonly connectionsMax: number;
  readonly jwksUrl: string | null;
}

/** What is wrong with this machine, for an api of these settings. */
export async function machineFindings(settings: MachineSettings): Promise<Finding[]> {
  const { host, port, connectionsMax, jwksUrl } = settings;
  return examine(CHECKS, {
    port: await portTrouble(host, port),
    openFilesMax: openFilesMax(),
    connectionsMax,
    keys: jwksUrl === null ? null : await keysTrouble(jwksUrl),
  });
}

/** An api that runs there already is no trouble. */
async function portTrouble(host: string, port: number): Promise<string | null> {
  try {
    await reservePort({ port, host, setting: 'PORT' });
    return null;
  } catch (error) {
    const answer = await fetch(`http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}/healthz`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch(() => null);
    const isOurs = answer?.ok === true && (answer.headers.get('content-type') ?? '').includes('json');
    return isOurs ? null : error instanceof Error ? error.message : String(error);
  }
}

/** The hard limit: Node raises its own to it when it starts. */
function openFilesMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? 0);
  } catch {
    return 0; // No /proc here.
  }
}

async function keysTrouble(url: string): Promise<string | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok) return `the issuer's keys cannot be had: ${url} answers ${answer.status}`;
    const { keys } = (await answer.json()) as { keys?: unknown };
    return Array.isArray(keys) && keys.length > 0 ? null : `${url} has no keys in it`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return `the issuer's keys cannot be had from ${url}: ${cause}`;
  }
}
