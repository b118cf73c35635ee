import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { createLog, createMetrics, superviseThreads, type ThreadSupervisor } from '../src/index.ts';

const entry = new URL('./fixture/thread.ts', import.meta.url);
const log = createLog({ name: 'test', level: 'silent' });
const running: ThreadSupervisor[] = [];

function supervise(options: Partial<Parameters<typeof superviseThreads>[0]> = {}): ThreadSupervisor {
  const supervisor = superviseThreads({
    entry,
    count: 2,
    workerData: {},
    log,
    metrics: createMetrics(),
    onGiveUp: () => undefined,
    firstRespawnMs: 20,
    ...options,
  });
  running.push(supervisor);
  return supervisor;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((supervisor) => supervisor.stop()));
});

async function counter(supervisor: ThreadSupervisor, name: string): Promise<number> {
  const line = (await supervisor.metrics()).split('\n').find((row) => row.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
}

const allReady = (supervisor: ThreadSupervisor, count: number) =>
  vi.waitFor(
    () => {
      expect(supervisor.threads().filter((thread) => thread.state === 'ready')).toHaveLength(count);
    },
    { timeout: 15_000, interval: 20 },
  );

test('[RUN-5] a thread that dies leaves the others running and is replaced in its slot', async () => {
  const supervisor = supervise();
  await supervisor.run();
  const before = supervisor.threads();
  await supervisor.command({ slot: 0, order: 'die' });
  await vi.waitFor(() => expect(supervisor.threads().map((t) => t.id)).not.toContain(before[0]?.id), {
    timeout: 5_000,
  });
  expect(supervisor.threads().find((t) => t.slot === 1)?.id).toBe(before[1]?.id);
  await allReady(supervisor, 2);
  expect((await supervisor.command({ order: 'slot' })).sort()).toEqual([0, 1]);
});

test('[RUN-5] end(id) terminates one thread, which is replaced', async () => {
  const supervisor = supervise({ count: 1 });
  await supervisor.run();
  const [thread] = supervisor.threads();
  expect(await supervisor.end(thread?.id ?? -1)).toBe(true);
  expect(await supervisor.end(999_999)).toBe(false);
  await allReady(supervisor, 1);
  expect(supervisor.threads()[0]?.id).not.toBe(thread?.id);
  expect(await counter(supervisor, 'thread_deaths_total')).toBe(1);
});

test('[RUN-6] after five deaths within a minute the supervisor gives up, once, and run rejects', async () => {
  const onGiveUp = vi.fn();
  const supervisor = supervise({ count: 1, workerData: { dieAtOnce: true }, onGiveUp });
  await expect(supervisor.run()).rejects.toThrow('5 threads died within a minute');
  expect(onGiveUp).toHaveBeenCalledTimes(1);
  await sleep(100);
  expect(supervisor.threads()).toEqual([]);
});

test('[RUN-7] the metrics of all threads are summed, and no counter goes back when one dies', async () => {
  const supervisor = supervise();
  await supervisor.run();
  await supervisor.command({ order: 'work' });
  await supervisor.command({ slot: 0, order: 'work' });
  expect(await counter(supervisor, 'work_total')).toBe(3);
  for (let deaths = 0; deaths < 2; deaths++) {
    await supervisor.end(supervisor.threads().find((t) => t.slot === 0)?.id ?? -1);
    expect(await counter(supervisor, 'work_total')).toBe(3);
    expect(await counter(supervisor, 'work_seconds_count')).toBe(3);
    await allReady(supervisor, 2);
  }
  await supervisor.command({ order: 'work' });
  expect(await counter(supervisor, 'work_total')).toBe(5);
});

test('[RUN-7] control: the sum over the living threads alone goes back', async () => {
  const supervisor = supervise();
  await supervisor.run();
  const living = async () => {
    const counts = await supervisor.command({ order: 'count' });
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  };
  await supervisor.command({ order: 'work' });
  expect(await living()).toBe(2);
  await supervisor.end(supervisor.threads()[0]?.id ?? -1);
  expect(await living()).toBe(1);
});

/** Blocks the event loop of one of two threads; answers which. */
async function blockOne(supervisor: ThreadSupervisor) {
  await supervisor.run();
  await supervisor.command({ order: 'work' });
  expect(await counter(supervisor, 'work_total')).toBe(2);
  const blocked = supervisor.threads().find((t) => t.slot === 0);
  await supervisor.command({ slot: 0, order: 'block' }, 50);
  return blocked?.id ?? -1;
}

test('[RUN-8] a thread whose event loop is blocked is ended and replaced, and metrics do not wait for it', async () => {
  const supervisor = supervise({ stallMs: 1_500, metricsWithinMs: 300 });
  const blocked = await blockOne(supervisor);
  expect(await counter(supervisor, 'work_total')).toBe(2);
  await vi.waitFor(() => expect(supervisor.threads().map((t) => t.id)).not.toContain(blocked), { timeout: 15_000 });
  await allReady(supervisor, 2);
  expect(await counter(supervisor, 'thread_stalls_total')).toBe(1);
  // What it had counted before it hung stays.
  expect(await counter(supervisor, 'work_total')).toBe(2);
});

test('[RUN-8] control: without the watchdog a blocked thread stays', async () => {
  const supervisor = supervise({ stallMs: 0 });
  const blocked = await blockOne(supervisor);
  await sleep(3_000);
  expect(supervisor.threads().map((t) => t.id)).toContain(blocked);
  await supervisor.end(blocked);
});

test('[RUN-8] control: a thread that is only busy, turn by turn, stays', async () => {
  const supervisor = supervise({ stallMs: 1_500 });
  await supervisor.run();
  const before = supervisor.threads().map((t) => t.id);
  await supervisor.command({ slot: 0, order: 'toil' });
  await sleep(4_000);
  expect(supervisor.threads().map((t) => t.id)).toEqual(before);
});

test('[RUN-140] the log says what a blocked thread was doing when it was ended', async () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const supervisor = supervise({ stallMs: 1_500, log: createLog({ name: 'test', level: 'error' }, destination) });
  await blockOne(supervisor);
  const block = expect.arrayContaining([expect.stringMatching(/^block \(/)]);
  const line = { slot: 0, msg: 'a thread is stuck and will be ended', stack: block };
  await vi.waitFor(() => expect(lines).toContainEqual(expect.objectContaining(line)), { timeout: 15_000 });
});

test('[RUN-9] the drain asks the threads in turn and ends them when they are done', async () => {
  const supervisor = supervise({ workerData: { drainMs: 200 } });
  await supervisor.run();
  const states: string[] = [];
  const watch = setInterval(
    () =>
      states.push(
        supervisor
          .threads()
          .map((t) => t.state)
          .join(),
      ),
    10,
  );
  await supervisor.stop();
  clearInterval(watch);
  expect(supervisor.threads()).toEqual([]);
  expect(states).toContain('draining,ready');
  expect(states).not.toContain('draining,draining');
});

test('[RUN-9] a thread that does not finish its drain is ended when its time is over', async () => {
  const supervisor = supervise({ count: 1, workerData: { drainMs: 60_000 }, drainWithinMs: 100 });
  await supervisor.run();
  await supervisor.stop();
  expect(supervisor.threads()).toEqual([]);
});
