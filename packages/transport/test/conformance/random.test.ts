import { tracked } from '@trpc/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Adapter, OURS, STOCK } from './adapters.ts';
import { after, feed, query, stop } from './frames.ts';
import { perform } from './perform.ts';
import { PLANTED } from './planted.ts';
import type { Frame, Player, Scene } from './player.ts';
import type { Variant } from './router.ts';

/** One thing that happens, and what it is called when a script fails. */
type Act =
  | { readonly act: 'say' | 'burst'; readonly frames: readonly Frame[] }
  | { readonly act: 'emit'; readonly values: readonly unknown[] }
  | { readonly act: 'complete' | 'fail' | 'open' | 'broadcast' | 'close' };

interface Script {
  readonly router: Variant;
  readonly params: boolean;
  readonly maxBatchSize: number | undefined;
  readonly acts: readonly Act[];
}

const id = fc.constantFrom(1, 2, 3, 'a', 0);
const lastEventId = fc.option(fc.constantFrom('1', '', '7'), { nil: undefined });
const input = fc.oneof(fc.constant(undefined), fc.constant({}), fc.constant({ to: 2 }), fc.jsonValue({ maxDepth: 1 }));

const calls = fc
  .tuple(id, fc.constantFrom('hello', 'echo', 'put', 'nobody', 'feeds.count', 'late.hello', 'fail'), input, lastEventId)
  .map(([of, path, given, last]) => after(last, query(of, path, given)));
const feeds = fc
  .tuple(
    id,
    fc.constantFrom(
      'count',
      'follow',
      'observe',
      'resume',
      'pushed',
      'never',
      'atOnce',
      'failLater',
      'failFirst',
      'strict',
      'setup',
    ),
    input,
    lastEventId,
  )
  .map(([of, name, given, last]) =>
    after(last, feed(of, `feeds.${name}`, name === 'setup' ? { gate: 'gate' } : given)),
  );
const stops = id.map((of) => stop(of));

/** Frames that are nearly right. */
const bent = fc
  .tuple(
    fc.oneof(calls, feeds),
    fc.constantFrom('id', 'method', 'params', 'jsonrpc', 'extra', 'path'),
    fc.oneof(fc.constantFrom(null, '', 7, true, '2.0', 'query', {}, [], undefined), fc.jsonValue({ maxDepth: 1 })),
  )
  .map(([frame, key, value]) =>
    key === 'path' ? { ...frame, params: { ...frame.params, path: value } } : { ...frame, [key]: value },
  );
const single = fc.oneof(
  { weight: 4, arbitrary: calls },
  { weight: 5, arbitrary: feeds },
  { weight: 4, arbitrary: stops },
  bent,
);
const garbage = fc.oneof(
  fc.constantFrom<Frame>('PING', 'PONG', '', '{', 'null', '[]', '[[]]', 'nonsense'),
  fc.json({ maxDepth: 2 }),
  fc.string({ maxLength: 10 }),
  fc.uint8Array({ maxLength: 10 }).map((bytes) => Buffer.from(bytes)),
);
const frame = fc.oneof(
  { weight: 6, arbitrary: single },
  { weight: 2, arbitrary: fc.array(single, { maxLength: 5 }) },
  { weight: 2, arbitrary: garbage },
);

const event = fc.oneof(
  fc.constantFrom<unknown>(1, null, undefined, '', 'text', { n: 1 }, [1]),
  fc.tuple(fc.constantFrom('1', '2', '3'), fc.jsonValue({ maxDepth: 1 })).map(([of, value]) => tracked(of, value)),
);

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constantFrom('say'), frames: fc.tuple(frame) }) },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constantFrom('burst'), frames: fc.array(frame, { minLength: 2, maxLength: 6 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constantFrom('emit'), values: fc.array(event, { minLength: 1, maxLength: 4 }) }),
  },
  fc.record({ act: fc.constantFrom('complete', 'fail', 'open', 'open', 'broadcast', 'close') }),
);

const script: fc.Arbitrary<Script> = fc.record({
  router: fc.constantFrom<Variant>('plain', 'plain', 'formatted', 'transformed', 'dev'),
  params: fc.boolean(),
  maxBatchSize: fc.constantFrom(undefined, undefined, 2),
  acts: fc.array(act, { minLength: 1, maxLength: 10 }),
});

async function happen(p: Player, act: Act): Promise<void> {
  const source = p.stage.source('main');
  if ('frames' in act) return p.say(...act.frames);
  if ('values' in act) return p.emit(...act.values);
  if (act.act === 'open') return p.open('gate');
  if (act.act === 'broadcast') return p.broadcast();
  return p.do(act.act, () => {
    if (act.act === 'complete') source.complete();
    else if (act.act === 'fail') source.error(new Error('the source failed'));
    else p.client().close();
  });
}

function sceneOf({ router, params, maxBatchSize, acts }: Script): Scene {
  return {
    name: 'a random script',
    router,
    ...(params && { path: '/?connectionParams=1' }),
    ...(maxBatchSize !== undefined && { options: { maxBatchSize } }),
    async play(p) {
      if (params && acts.length % 3 > 0) await p.say({ method: 'connectionParams', data: { token: 'x' } });
      for (const act of acts) {
        if (p.client().readyState === p.client().OPEN) await happen(p, act);
      }
    },
  };
}

const LIMITS = { numRuns: 400, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false };

async function compareRandomly(adapter: Adapter): Promise<void> {
  await fc.assert(
    fc.asyncProperty(script, async (given) => {
      const scene = sceneOf(given);
      const stock = await perform(STOCK, scene);
      expect(await perform(adapter, scene)).toEqual(stock);
    }),
    LIMITS,
  );
}

describe('[WIRE-22] random scripts', () => {
  it('are answered as tRPC’s own adapter answers them', { timeout: 60_000 }, () => compareRandomly(OURS));

  const seen = ['says no stopped', 'answers pings late', 'hears no stops', 'leaves the ids of events out'];
  it.each(PLANTED.filter(({ name }) => seen.includes(name)).map((adapter) => [adapter.name, adapter] as const))(
    'control: they find an adapter that %s',
    { timeout: 60_000 },
    async (_name, adapter) => {
      await expect(compareRandomly(adapter)).rejects.toThrow('Property failed');
    },
  );
});
