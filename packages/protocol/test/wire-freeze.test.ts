import { createHash } from 'node:crypto';
import {
  answers,
  channelEventSchema,
  failureDataSchema,
  inboxEventSchema,
  inputs,
  PROTOCOL_VERSION,
} from '@parley/protocol';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { FROZEN } from './frozen.ts';

type Schema = z.ZodMiniType;

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** What a schema lets through, as text: JSON Schema says the shape; the checks that it cannot say are listed by their messages. */
function printOf(schema: Schema, io: 'input' | 'output'): string {
  return JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
}

function wire(): Record<string, string> {
  const named: [string, Schema, 'input' | 'output'][] = [
    ...Object.entries(inputs).map(([path, schema]): [string, Schema, 'input'] => [`in ${path}`, schema, 'input']),
    ...Object.entries(answers).map(([path, schema]): [string, Schema, 'output'] => [`out ${path}`, schema, 'output']),
    ['event feed.channel', channelEventSchema, 'output'],
    ['event feed.inbox', inboxEventSchema, 'output'],
    ['error', failureDataSchema, 'output'],
  ];
  return Object.fromEntries(named.map(([name, schema, io]) => [name, hash(printOf(schema, io))]));
}

describe('the wire', () => {
  it('[WIRE-1] is frozen: a changed schema needs a decision', () => {
    const now = { version: PROTOCOL_VERSION, schemas: wire() };
    expect(
      now,
      'The wire contract changed. Added something optional? Write the new hashes into frozen.ts. Changed or removed something? Bump PROTOCOL_VERSION, keep the old version working, and say so in an ADR.',
    ).toEqual(FROZEN);
  });

  it('sees a change (control)', () => {
    const before = hash(printOf(z.object({ a: z.string() }), 'input'));
    expect(hash(printOf(z.object({ a: z.optional(z.string()) }), 'input'))).not.toBe(before);
    expect(hash(printOf(z.object({ a: z.string().check(z.maxLength(3)) }), 'input'))).not.toBe(before);
  });
});
