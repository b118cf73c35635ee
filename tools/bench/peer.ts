import { type AppProcess, startApp } from '../../packages/testing/src/app-process.ts';

/** A running peer, with where it listens (0: it serves nobody). */
export interface Peer extends AppProcess {
  readonly port: number;
}

/** Starts a program of `load-tests/peers` on a free port. */
export async function startPeer(name: string, env: Record<string, string>): Promise<Peer> {
  const peer = await startApp({
    name,
    entry: `load-tests/peers/${name}.mjs`,
    env: { NODE_ENV: 'production', ...env },
    ready: /^(listening|working) on/m,
  });
  return Object.assign(peer, { port: Number(/^listening on (\d+)/m.exec(peer.output())?.[1] ?? 0) });
}
