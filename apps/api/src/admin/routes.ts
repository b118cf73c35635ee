import { Failure } from '@parley/domain';
import { PAGE_DEFAULT, PAGE_MAX } from '@parley/protocol';
import * as z from 'zod';

/** A call of the admin API, as its handler sees it. */
export interface AdminCall {
  /** The parts of the path that the route names, ids all of them. */
  readonly ids: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** What was sent as JSON; an empty object when there was nothing. */
  readonly body: unknown;
}

/** What is answered: one JSON value, or a stream of them, a line each. */
export type Reply =
  | { readonly status: number; readonly value: unknown }
  | { readonly status: number; readonly lines: AsyncIterable<unknown> };

/** One thing that an administrator can do. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/v1/users/:userId`; a named part is an id. */
  readonly path: string;
  /** What the audit calls it. */
  readonly action: string;
  work(call: AdminCall): Promise<Reply>;
}

/** What a path and a method lead to. `elsewhere`: the path is right, the method is not. */
export type Match =
  | { readonly type: 'route'; readonly route: Route; readonly ids: Readonly<Record<string, string>> }
  | { readonly type: 'elsewhere'; readonly methods: readonly string[] }
  | { readonly type: 'nowhere' };

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/** Finds the route of a call. */
export function createFinder(routes: readonly Route[]): (method: string, path: string) => Match {
  const patterns = routes.map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replace(/:(\w+)/g, (_, name: string) => `(?<${name}>${UUID})`)}$`),
  }));
  return (method, path) => {
    const found = patterns.flatMap(({ route, pattern }) => {
      const match = pattern.exec(path);
      return match ? [{ route, ids: { ...match.groups } }] : [];
    });
    const hit = found.find(({ route }) => route.method === method);
    if (hit) return { type: 'route', ...hit };
    if (found.length === 0) return { type: 'nowhere' };
    return { type: 'elsewhere', methods: found.map(({ route }) => route.method) };
  };
}

/** The id that the route's path names. */
export function idIn({ ids }: AdminCall, name: string): string {
  const id = ids[name];
  if (id === undefined) throw new Error(`the route has no part ${name}`);
  return id;
}

/** The call's body, or `INVALID` with what is wrong with it. */
export function bodyOf<T extends z.ZodType>(schema: T, { body }: AdminCall): z.output<T> {
  return valid(schema, body);
}

const pageQuery = z.strictObject({
  query: z.string().min(1).max(100).optional(),
  cursor: z
    .string()
    .regex(/^[\w-]{1,200}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
});

/** What page of a list is asked for. */
export function pageOf({ query }: AdminCall): { text: string | null; cursor: string | null; limit: number } {
  const { query: text = null, cursor = null, limit } = valid(pageQuery, Object.fromEntries(query));
  return { text, cursor, limit };
}

/** The thing, or `NOT_FOUND`. */
export function found<T>(thing: T | null, what: string): T {
  if (thing === null) throw new Failure('NOT_FOUND', `no such ${what}`);
  return thing;
}

function valid<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new Failure('INVALID', issues.join('; ').slice(0, 500));
}
