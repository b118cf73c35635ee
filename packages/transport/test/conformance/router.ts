import { initTRPC, lazy, type TRPCDefaultErrorShape, TRPCError, tracked } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import type { Backstage } from './backstage.ts';
import { plain } from './plain.ts';
import { asEnding, asRecord, asShout, checkItems, throwAs } from './procedure-parts.ts';
import { Pushable } from './pushable.ts';
import { createStrangeFeeds } from './strange-feeds.ts';
import { transformer } from './transformer.ts';

/** How a scene's router is made: bare, with stacks, with a transformer, or with an error formatter of its own. */
export type Variant = 'plain' | 'dev' | 'transformed' | 'formatted';

/** What the scenes' contexts hold. */
export interface Context {
  readonly user?: string;
}

interface Failed {
  readonly error: TRPCError;
  readonly type: string;
  readonly path: string | undefined;
  readonly input: unknown;
  readonly ctx: Context | undefined;
  readonly shape: TRPCDefaultErrorShape;
}

/** Notes what it was told. Fails, or gives what cannot be encoded, where the error's message asks for it. */
function createFormatter(stage: Backstage) {
  return ({ error, type, path, input, ctx, shape }: Failed) => {
    stage.note(`formatter of ${type} ${path}`, plain({ code: error.code, type, path, input, ctx, shape }));
    if (error.message === 'unformattable') throw new Error('the formatter failed');
    const extra = error.message === 'unencodable' ? 1n : { user: ctx?.user };
    return { ...shape, data: { ...shape.data, extra } };
  };
}

function createBase(stage: Backstage, variant: Variant) {
  const settings: {
    isDev: boolean;
    transformer?: typeof transformer;
    errorFormatter?: ReturnType<typeof createFormatter>;
  } = { isDev: variant === 'dev' };
  if (variant === 'transformed') settings.transformer = transformer;
  if (variant === 'formatted') settings.errorFormatter = createFormatter(stage);
  return initTRPC.context<Context>().create(settings);
}

type Base = ReturnType<typeof createBase>;

/** What calls give that has, or has no, text in JSON. */
const VALUES: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  zero: () => 0,
  empty: () => '',
  false: () => false,
  nan: () => Number.NaN,
  bigint: () => 10n,
  date: () => new Date(0),
  symbol: () => Symbol('x'),
  function: () => () => 1,
  holes: () => Object.assign(new Array(1), { 2: 1 }),
  optional: () => ({ here: 1, gone: undefined }),
  unicode: () => '🙂 \u2028 \u0000 \ud800 "\\" ﷽ é',
  large: () => 'x'.repeat(300_000),
  tracked: () => tracked('7', { n: 7 }),
  array: () => ['7', { n: 7 }],
  error: () => new Error('as a result'),
  throwing: () => ({ toJSON: () => throwAs('trpc') }),
};

/** The names of what `value` gives. */
export const VALUE_KINDS = Object.keys(VALUES);

function createCalls(t: Base, stage: Backstage) {
  const { procedure } = t;
  const signed = procedure.use(({ ctx, next, path, type, batchIndex }) => {
    stage.note('middleware', { path, type, batchIndex });
    if (!ctx?.user) throw new TRPCError({ code: 'UNAUTHORIZED' });
    return next({ ctx: { user: ctx.user } });
  });
  const awaited = async (name: unknown, signal: AbortSignal | undefined) => {
    const end = stage.life(`call ${String(name)}`, signal);
    await stage.gate(String(name));
    end();
    return name;
  };
  return {
    hello: procedure.query(() => 'hello'),
    echo: procedure.input((value: unknown) => value).query(({ input }) => ({ input })),
    shout: procedure.input(asShout).query(({ input }) => input),
    value: procedure.input(asRecord).query(({ input }) => VALUES[String(input.kind)]?.()),
    fail: procedure.input(asRecord).query(({ input }) => throwAs(input.kind)),
    failLater: procedure.input(asRecord).query(async ({ input }) => {
      await null;
      throwAs(input.kind);
    }),
    formatted: procedure
      .errors(({ shape, error }) => (error.message === 'out of range' ? { ...shape, message: 'formatted' } : undefined))
      .input(asRecord)
      .query(({ input }) => throwAs(input.kind)),
    checked: procedure.output(asShout).query(() => JSON.parse('7')),
    wait: procedure.input(asRecord).query(({ input, signal }) => awaited(input.gate, signal)),
    whoAmI: signed.query(({ ctx }) => ctx.user),
    context: procedure.query(({ ctx }) => ({ ctx })),
    hangUp: procedure.query(() => stage.onHangUp()),
    iterable: procedure.query(async function* () {
      yield 1;
    }),
    observable: procedure.query(() => observable<number>(() => undefined)),
    put: procedure.input(asRecord).mutation(({ input }) => ({ put: input })),
    putLater: procedure.input(asRecord).mutation(({ input, signal }) => awaited(input.gate, signal)),
    pushable: procedure.query(({ signal }) => new Pushable({ stage, source: stage.source('main'), signal })),
    putIterable: procedure.mutation(async function* () {
      yield 1;
    }),
    deep: t.router({ down: t.router({ here: procedure.query(() => 'deep down') }) }),
  };
}

function createFeeds(t: Base, stage: Backstage) {
  const { procedure } = t;
  const strange = createStrangeFeeds(stage);
  const source = (input: Record<string, unknown>) => stage.source(String(input.source ?? 'main'));
  return {
    count: procedure.input(asRecord).subscription(async function* ({ input, signal }) {
      using _ = livesOn(stage, 'count', signal);
      for (let n = 1; n <= Number(input.to ?? 3); n++) yield n;
    }),
    /** Goes on after the event that the client saw last. */
    resume: procedure.input(asRecord).subscription(async function* ({ input, signal }) {
      using _ = livesOn(stage, 'resume', signal);
      stage.note('resume', input);
      const from = Number(input.lastEventId ?? 0);
      for (let n = from + 1; n <= from + 3; n++) yield tracked(String(n), { n });
      for await (const value of stage.source('main').values(signal)) yield value;
    }),
    bare: procedure
      .input((value: unknown) => ({ input: value }))
      .subscription(async function* ({ input, signal }) {
        using _ = livesOn(stage, 'bare', signal);
        yield input;
      }),
    values: procedure.subscription(async function* () {
      for (const kind of [
        'undefined',
        'null',
        'zero',
        'empty',
        'false',
        'nan',
        'holes',
        'optional',
        'unicode',
        'large',
      ]) {
        yield VALUES[kind]?.();
        yield tracked(kind, VALUES[kind]?.());
      }
      yield ['id', 'data', Symbol('not it')];
      yield ['id', 'data'];
      yield [];
    }),
    follow: procedure.input(asRecord).subscription(async function* ({ input, signal }) {
      using _ = livesOn(stage, 'follow', signal);
      for await (const value of source(input).values(signal)) yield value;
    }),
    observe: procedure.input(asRecord).subscription(({ input, signal }) => {
      const end = stage.life('observe', signal);
      return observable<unknown>((observer) => {
        const release = source(input).listen(observer);
        return () => {
          release();
          end();
        };
      });
    }),
    lastWords: procedure.subscription(async function* () {
      yield tracked('1', 'you have to go');
      stage.onHangUp();
      yield tracked('2', 'are you still there?');
    }),
    pushed: procedure.input(asRecord).subscription(({ input, signal }) => {
      const first = Array.from({ length: Number(input.first ?? 0) }, (_, n) => tracked(`first-${n}`, n));
      return asIterable(new Pushable({ stage, source: source(input), signal, first, ending: asEnding(input.ending) }));
    }),
    never: procedure.subscription(async function* ({ signal }) {
      using _ = livesOn(stage, 'never', signal);
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
      yield 'too late';
    }),
    atOnce: procedure.subscription(async function* () {}),
    failFirst: procedure.input(asRecord).subscription(async function* ({ input }) {
      yield throwAs(input.kind);
    }),
    failLater: procedure.input(asRecord).subscription(async function* ({ input }) {
      yield 1;
      throwAs(input.kind);
    }),
    failSetup: procedure.input(asRecord).subscription(({ input }): AsyncIterable<unknown> => throwAs(input.kind)),
    /** Its own setup waits for a gate, then does as it was told. */
    setup: procedure.input(asRecord).subscription(async ({ input, signal }) => {
      using _ = livesOn(stage, 'setup', signal);
      await stage.gate(String(input.gate));
      if (input.kind !== undefined) throwAs(input.kind);
      if (input.heeds && signal?.aborted) throwAs('abort');
      return stage.source('setup').values(signal);
    }),
    setupObserve: procedure.input(asRecord).subscription(async ({ input }) => {
      await stage.gate(String(input.gate));
      return observable<unknown>(() => {
        stage.note('setup', 'subscribed');
        return () => stage.note('setup', 'teardown');
      });
    }),
    checked: procedure.output(checkItems).subscription(async function* () {
      yield JSON.parse('1');
      yield JSON.parse('"two"');
    }),
    notOne: procedure.subscription(() => JSON.parse('7')),
    strict: procedure.input(asShout).subscription(async function* ({ input }) {
      yield input;
    }),
    signed: procedure
      .use(({ ctx, next }) => {
        if (!ctx?.user) throw new TRPCError({ code: 'UNAUTHORIZED' });
        return next();
      })
      .subscription(async function* ({ ctx }) {
        yield ctx.user;
      }),
    strange: procedure
      .input(asRecord)
      .subscription(({ input, signal }) => asIterable(strange[String(input.feed)]?.(signal))),
  };
}

/** The types know no feed that may be either. */
const asIterable = (feed: unknown) => feed as AsyncIterable<unknown>;

function livesOn(stage: Backstage, name: string, signal: AbortSignal | undefined): Disposable {
  const end = stage.life(name, signal);
  return { [Symbol.dispose]: end };
}

/** The names of the strange feeds. */
export function strangeFeedNames(stage: Backstage): string[] {
  return Object.keys(createStrangeFeeds(stage));
}

/** A router whose procedures wait for, and write down to, a stage. */
export function createConformanceRouter(stage: Backstage, variant: Variant) {
  const t = createBase(stage, variant);
  return t.router({
    ...createCalls(t, stage),
    feeds: createFeeds(t, stage),
    late: lazy(async () => t.router({ hello: t.procedure.query(() => 'late hello'), ...createFeeds(t, stage) })),
    missing: lazy(async () => throwAs('error')),
  });
}

/** The scenes' router. */
export type ConformanceRouter = ReturnType<typeof createConformanceRouter>;
