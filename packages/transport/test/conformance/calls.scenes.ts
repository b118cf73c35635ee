import { after, mutation, query } from './frames.ts';
import type { Scene } from './player.ts';
import { THROWN_KINDS } from './procedure-parts.ts';
import { VALUE_KINDS, type Variant } from './router.ts';

const VARIANTS: readonly Variant[] = ['plain', 'dev', 'transformed', 'formatted'];

/** Queries and mutations, one at a time and many at once. */
export const CALL_SCENES: readonly Scene[] = [
  {
    name: 'a query, a mutation, a nested one, a lazy one',
    async play(p) {
      await p.say(query(1, 'hello'));
      await p.say(mutation(2, 'put', { a: 1 }));
      await p.say(query(3, 'deep.down.here'));
      await p.say(query(4, 'late.hello'));
      await p.say(query(5, 'late.hello'));
      await p.say(query(6, 'whoAmI'), query(7, 'context'));
    },
  },
  {
    name: 'paths that lead nowhere',
    async play(p) {
      const paths = [
        'nobody',
        '',
        '.',
        'deep',
        'deep.down',
        'deep.down.here.',
        'late',
        'late.nobody',
        'missing.x',
        'missing',
      ];
      for (const path of [...paths, 'constructor', '__proto__', 'toString', '_def', 'feeds'])
        await p.say(query(1, path));
    },
  },
  {
    name: 'a call of the wrong kind',
    async play(p) {
      await p.say(query(1, 'put', {}), mutation(2, 'hello'), query(3, 'feeds.count'), mutation(4, 'feeds.count'));
      await p.say({ id: 5, method: 'subscription', params: { path: 'hello' } });
      await p.say({ id: 6, method: 'subscription', params: { path: 'nobody' } });
    },
  },
  {
    name: 'inputs',
    async play(p) {
      for (const input of [
        undefined,
        null,
        0,
        '',
        'text',
        [],
        [1, 2],
        {},
        { a: { b: [null] } },
        '🙂 \u2028',
        'x'.repeat(50_000),
      ]) {
        await p.say(query(1, 'echo', input));
      }
      await p.say(query(2, 'shout', 'loud'), query(3, 'shout', 7), query(4, 'shout'));
    },
  },
  {
    name: 'a last event id with a call',
    async play(p) {
      for (const input of [undefined, null, 0, '', 'text', [], { a: 1 }, { lastEventId: 'own' }]) {
        await p.say(after('9', query(1, 'echo', input)), after('', mutation(2, 'put', input)));
      }
    },
  },
  ...VARIANTS.map(
    (router): Scene => ({
      name: `results of every kind, ${router}`,
      router,
      async play(p) {
        for (const kind of VALUE_KINDS) await p.say(query(kind, 'value', { kind }));
        await p.say(query(1, 'value', { kind: 'no such' }));
      },
    }),
  ),
  ...VARIANTS.map(
    (router): Scene => ({
      name: `errors of every kind, ${router}`,
      router,
      async play(p) {
        for (const kind of THROWN_KINDS) {
          await p.say(query(1, 'fail', { kind }));
          await p.say(query(2, 'failLater', { kind }), query(3, 'formatted', { kind }));
        }
        await p.say(query(4, 'checked'), query(5, 'shout', 7), query(6, 'nobody'));
      },
    }),
  ),
  {
    name: 'what has words of its own in the transformer',
    router: 'transformed',
    async play(p) {
      await p.say(
        query(1, 'echo', { at: { $: 'date', value: '2026-01-01T00:00:00.000Z' }, n: { $: 'bigint', value: '7' } }),
      );
      await p.say(query(2, 'echo', { $: 'undefined' }), query(3, 'echo', [{ $: 'undefined' }]));
      await p.say(query(4, 'echo', { $: 'no such word' }));
      await p.say([query(5, 'hello'), query(6, 'echo', { $: 'no such word' }), query(7, 'hello')]);
      await p.say(after('3', query(8, 'echo', { $: 'undefined' })));
    },
  },
  {
    name: 'batches',
    async play(p) {
      await p.say([]);
      await p.say([query(1, 'hello')]);
      await p.say([
        query(1, 'hello'),
        mutation(2, 'put', 1),
        query(3, 'nobody'),
        mutation(4, 'put', { a: 1 }),
        query(5, 'whoAmI'),
      ]);
      await p.say(
        [query(1, 'whoAmI'), query(2, 'late.hello'), query(3, 'whoAmI')],
        [query(4, 'whoAmI'), query(5, 'hello')],
      );
      await p.say([query(1, 'hello'), [query(2, 'hello')]]);
      await p.say([query(1, 'hello'), null]);
      await p.say([query(1, 'hello'), { id: 2, method: 'nonsense' }, query(3, 'hello')]);
    },
  },
  ...[1, 2, 0].map(
    (maxBatchSize): Scene => ({
      name: `batches where ${maxBatchSize} calls may be in one`,
      options: { maxBatchSize },
      async play(p) {
        await p.say(query(1, 'hello'));
        await p.say([]);
        await p.say([query(1, 'hello')]);
        await p.say([query(1, 'hello'), query('two', 'hello')]);
        await p.say([
          query(1, 'hello'),
          { id: 2, jsonrpc: '2.0' },
          { id: 3, jsonrpc: '1.0' },
          { id: null },
          { id: true },
          7,
          null,
        ]);
        await p.say([{ id: 4, method: 'subscription.stop' }, { id: 5, method: 'subscription.stop' }, 'x']);
        await p.say([null, null, null]);
        await p.say([query(6, 'hello'), query(6, 'hello'), [query(7, 'hello')]]);
      },
    }),
  ),
  {
    name: 'calls that overtake each other',
    async play(p) {
      await p.say(query(1, 'wait', { gate: 'one' }), query(2, 'wait', { gate: 'two' }), query(3, 'hello'));
      await p.open('two');
      await p.open('one');
    },
  },
  {
    name: 'one id for many calls in flight',
    async play(p) {
      await p.say(query(1, 'wait', { gate: 'one' }), query(1, 'hello'), mutation(1, 'putLater', { gate: 'two' }));
      await p.say(query(1, 'hello'), { id: 1, method: 'subscription.stop' });
      await p.open('two');
      await p.open('one');
    },
  },
  {
    name: 'results that are feeds',
    async play(p) {
      await p.say(query(1, 'iterable'), query(2, 'observable'), mutation(3, 'putIterable'));
    },
  },
  {
    name: 'calls that are in flight when their client goes',
    async play(p) {
      await p.say(query(1, 'wait', { gate: 'one' }), mutation(2, 'putLater', { gate: 'two' }));
      await p.do('closes', () => p.client().close(4000, 'bye'));
      await p.open('one');
      await p.open('two');
    },
  },
];
