import { Failure } from '@parley/domain';
import { inputs } from '@parley/protocol';
import { callTRPCProcedure, initTRPC, TRPCError } from '@trpc/server';
import { describe, expect, it } from 'vitest';
import { errorIdOf, formatError } from '../src/error-shape.ts';
import { channelIds, operationIds, userIdOf, uuidOf } from '../src/ids.ts';
import { checkProtocol } from '../src/protocol-version.ts';
import { contradictions } from '../src/settings.ts';

const shape = {
  message: 'm',
  code: -32603,
  data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500, path: 'a.b' },
} as const;
const format = (error: TRPCError) =>
  formatError({ shape: { ...shape, data: { ...shape.data, stack: 'secret' } }, error });
const internal = (cause: unknown) => new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause });

describe('errors on the wire', () => {
  it('[AUTH-20] an unexpected error shows an id, never a text and never a stack', () => {
    const error = internal(new Error('password=hunter2'));
    const wire = format(error);
    expect(JSON.stringify(wire)).not.toMatch(/hunter2|secret|stack/);
    expect(wire.data.parley).toEqual({ code: 'UNKNOWN_RETRY', retryable: true, errorId: errorIdOf(error) });
    expect(wire.data.httpStatus).toBe(500);
    expect(format(error).data.parley.errorId).toBe(wire.data.parley.errorId);
  });

  it('a Failure shows its code, its own words, and when to come back', () => {
    const wire = format(
      internal(new Failure('RATE_LIMITED', 'too many', { retryAfterMs: 12, cause: new Error('inner') })),
    );
    expect(wire).toEqual({
      message: 'too many',
      code: -32029,
      data: {
        code: 'TOO_MANY_REQUESTS',
        httpStatus: 429,
        path: 'a.b',
        parley: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 12 },
      },
    });
    expect(format(internal(new Failure('CONFLICT', 'x', { epoch: 7 }))).data.parley).toMatchObject({ epoch: 7 });
  });

  it('a refused input says where, and knows too large from invalid', async () => {
    const t = initTRPC.create();
    const router = t.router({ send: t.procedure.input(inputs['message.send']).mutation(() => 1) });
    const call = async (body: string) => {
      const id = '0190a8f0-0000-7000-8000-000000000001';
      const error = await callTRPCProcedure({
        router,
        path: 'send',
        getRawInput: async () => ({ channelId: id, clientMsgId: id, body }),
        ctx: {},
        type: 'mutation',
        signal: undefined,
        batchIndex: 0,
      }).catch((e: unknown) => e);
      return format(error as TRPCError);
    };
    expect((await call('x'.repeat(2_049))).data).toMatchObject({ httpStatus: 413, parley: { code: 'TOO_LARGE' } });
    expect((await call('a\u0000b')).data).toMatchObject({ httpStatus: 400, parley: { code: 'INVALID' } });
    expect((await call('a\u0000b')).message).toMatch(/^body: contains NUL/);
  });

  it('what tRPC refuses by itself has a code, too', () => {
    const codeOf = (code: TRPCError['code']) => format(new TRPCError({ code, message: 'm' })).data.parley.code;
    expect(codeOf('NOT_FOUND')).toBe('NOT_FOUND');
    expect(codeOf('PARSE_ERROR')).toBe('INVALID');
    expect(codeOf('BAD_REQUEST')).toBe('INVALID');
    expect(codeOf('PAYLOAD_TOO_LARGE')).toBe('TOO_LARGE');
    expect(codeOf('METHOD_NOT_SUPPORTED')).toBe('INVALID');
    expect(codeOf('UNSUPPORTED_MEDIA_TYPE')).toBe('INVALID');
  });
});

describe('ids', () => {
  it('[DEDUP-24] are functions of what they name, and UUIDs', () => {
    const id = operationIds.message('c', 's', 'm');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(operationIds.message('c', 's', 'm')).toBe(id);
    // Pinned: another function would take every resend for a new message.
    expect(id).toBe('4c9fc07c-001b-8051-93c9-d94ea9b6e86d');
    expect(operationIds.message('c', 'sm', '')).not.toBe(id);
    expect(uuidOf('a', 'b', 'c')).not.toBe(uuidOf('a', 'bc'));
    expect(uuidOf('a', '1:b')).not.toBe(uuidOf('a', '', 'b'));
  });

  it('a direct channel is the same for both', () => {
    expect(channelIds.direct('a', 'b')).toBe(channelIds.direct('b', 'a'));
    expect(channelIds.direct('a', 'b')).not.toBe(channelIds.direct('a', 'c'));
    expect(channelIds.named('a', 'x')).not.toBe(channelIds.named('b', 'x'));
  });

  it('a user is his UUID, in lower case, or the one of his name', () => {
    const id = '0190a8f0-0000-7000-8000-00000000000a';
    expect(userIdOf(id)).toBe(id);
    expect(userIdOf(id.toUpperCase())).not.toBe(id.toUpperCase());
  });
});

it('[AUTH-21] a client of another protocol is told so', () => {
  for (const fine of [undefined, null, '', 1, '1']) expect(() => checkProtocol(fine)).not.toThrow();
  for (const bad of [2, '2', 0, -1, 1.5, 'x', {}, true, Number.NaN]) {
    expect(() => checkProtocol(bad), String(bad)).toThrowError(expect.objectContaining({ code: 'PROTOCOL' }));
  }
});

it('[RUN-20] settings that contradict each other are named, all of them', () => {
  const secret = 'x'.repeat(32);
  expect(contradictions({ AUTH_SECRET: secret })).toEqual([]);
  expect(contradictions({})).toHaveLength(1);
  expect(contradictions({ AUTH_SECRET: secret, AUTH_JWKS_URL: 'https://x' })).toHaveLength(1);
  expect(contradictions({ AUTH_SECRET: 'short', DEV_TOKENS: 'true' })).toHaveLength(1);
  const production = { NODE_ENV: 'production', TEST_CONTROLS: '1', UNSAFE_ACK_BEFORE_APPEND: 'yes', DEV_TOKENS: 'on' };
  expect(contradictions({ AUTH_JWKS_URL: 'https://x', ...production }).map((line) => line.split(':')[0])).toEqual([
    'DEV_TOKENS',
    'UNSAFE_ACK_BEFORE_APPEND',
    'TEST_CONTROLS',
  ]);
});

it('[PRES-26] a presence that does not outlive two heartbeats is refused', () => {
  const problems = (env: Record<string, string>) => contradictions({ AUTH_SECRET: 'x'.repeat(32), ...env });
  expect(problems({ PRESENCE_TTL_MS: '60000' })).toEqual([expect.stringContaining('PRESENCE_TTL_MS')]);
  expect(problems({ PRESENCE_TTL_MS: '60001' })).toEqual([]);
  expect(problems({ PRESENCE_HEARTBEAT_MS: '150000' })).toHaveLength(1);
});
