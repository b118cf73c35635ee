import { type Autoscaler, Controller } from './hpa.ts';
import { createNoise, type Minute } from './load.ts';

interface Pod {
  connections: number;
  readonly readyAt: number;
  /** When it was told to end. */
  endsAt?: number;
}

interface Options {
  readonly spec: Autoscaler;
  readonly load: (second: number) => Minute;
  readonly seconds: number;
  readonly maxConnections: number;
  /** Whom a proxy gives the next user: the pod with the fewest, or one after the other. A full one sends him on. */
  readonly balance: 'fewest' | 'turns';
  readonly drain: { readonly delaySeconds: number; readonly windowSeconds: number; readonly graceSeconds: number };
}

/** What became of the users and the pods. */
export interface ApiRun {
  /** How many pods there were to be, every 15 s. */
  readonly replicas: readonly number[];
  /** Users who found every pod full. */
  readonly refused: number;
  /** Connections that were there when their pod's grace ended. */
  readonly cut: number;
  readonly drained: number;
  /** The most pods that drained at the same time. */
  readonly drainingAtOnce: number;
}

const TICK = 5;
const LOOK = 15;
const STARTUP = 25;
/** Of a thread's time, one connection with a usual share of messages. 10,000 of them would be too much. */
const BUSY_PER_CONNECTION = 0.9 / 10_000;

/**
 * Connections stay on their pod until the user goes or the pod drains. What the autoscaler sees is 15 s old; of several pods Kubernetes
 * takes the youngest away.
 */
export function simulateApis({ spec, load, seconds, maxConnections, balance, drain }: Options): ApiRun {
  const controller = new Controller(spec);
  const noise = createNoise(7);
  let pods: Pod[] = Array.from({ length: spec.minReplicas }, () => ({ connections: 0, readyAt: 0 }));
  const run = { replicas: [] as number[], refused: 0, cut: 0, drained: 0, drainingAtOnce: 0 };
  let activity = 1;
  let seen: Record<string, Parameters<Controller['decide']>[2][string]> = {};
  for (let now = 0; now < seconds; now += TICK) {
    const serving = () => pods.filter((pod) => pod.readyAt <= now && pod.endsAt === undefined);
    for (const pod of pods) if (pod.endsAt !== undefined) empty(pod, now);
    const over = pods.filter((pod) => pod.endsAt !== undefined && now >= pod.endsAt + drain.graceSeconds);
    for (const pod of over) run.cut += Math.round(pod.connections);
    run.drained += over.length;
    pods = pods.filter((pod) => !over.includes(pod));

    const users = load(now).users * (1 + 0.03 * noise());
    const connected = pods.reduce((sum, { connections }) => sum + connections, 0);
    if (connected > users) for (const pod of pods) pod.connections *= users / connected;
    else run.refused += place(users - connected, serving(), { maxConnections, balance });

    // Some minutes everybody writes, some nobody: of that a count of sockets knows nothing.
    if (now % 180 === 0) activity = 1 + 0.3 * noise();
    if (now % LOOK !== 0) continue;
    const alive = pods.filter(({ endsAt }) => endsAt === undefined);
    const next = controller.decide(now, alive.length, seen);
    run.replicas.push(next);
    for (let more = alive.length; more < next; more++) pods.push({ connections: 0, readyAt: now + STARTUP });
    for (const pod of alive
      .toSorted((a, b) => a.connections - b.connections)
      .slice(0, Math.max(0, alive.length - next))) {
      pod.endsAt = now;
    }
    run.drainingAtOnce = Math.max(run.drainingAtOnce, pods.filter(({ endsAt }) => endsAt !== undefined).length);
    const living = pods.filter(({ endsAt }) => endsAt === undefined);
    const perPod = (value: (pod: Pod) => number) => ({
      kind: 'pods' as const,
      values: living.map((pod) => (pod.readyAt <= now ? value(pod) : undefined)),
    });
    seen = {
      parley_socket_connections: perPod(({ connections }) => connections),
      parley_event_loop_utilization: perPod(
        ({ connections }) => connections * BUSY_PER_CONNECTION * activity * (1 + 0.1 * noise()),
      ),
      cpu: perPod(({ connections }) => connections * BUSY_PER_CONNECTION * activity * 100 * (1 + 0.1 * noise())),
    };
  }
  return run;

  /** Asked one by one over the window, after the delay. */
  function empty(pod: Pod, now: number): void {
    const since = now - (pod.endsAt ?? now) - drain.delaySeconds;
    if (since <= 0) return;
    const left = drain.windowSeconds - since;
    pod.connections = left <= 0 ? 0 : pod.connections * Math.max(0, 1 - TICK / (left + TICK));
  }
}

/** Gives the newcomers their pods; how many found no place. */
function place(newcomers: number, pods: readonly Pod[], rules: Pick<Options, 'maxConnections' | 'balance'>): number {
  const { maxConnections, balance } = rules;
  let left = newcomers;
  for (let round = 0; round < pods.length + 1 && left > 0.5; round++) {
    const open = pods.filter(({ connections }) => connections < maxConnections);
    if (open.length === 0) break;
    const level = (open.reduce((sum, { connections }) => sum + connections, 0) + left) / open.length;
    const turn = left / open.length;
    for (const pod of open) {
      const wanted = balance === 'turns' ? turn : Math.max(0, level - pod.connections);
      const given = Math.min(wanted, maxConnections - pod.connections, left);
      pod.connections += given;
      left -= given;
    }
  }
  return left > 0.5 ? Math.round(left) : 0;
}
