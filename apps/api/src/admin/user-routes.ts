import { type AdminStore, type EverybodyHints, Failure } from '@parley/domain';
import { idSchema, NAME_MAX_CHARS, textSchema, urlSchema } from '@parley/protocol';
import * as z from 'zod';
import { userIdOf } from '../ids.ts';
import { type AdminCall, bodyOf, found, idIn, pageOf, type Reply, type Route } from './routes.ts';

/** What the routes about users stand on. */
export interface UserRouteDeps {
  readonly store: Pick<
    AdminStore,
    'createUser' | 'user' | 'users' | 'disable' | 'revoke' | 'exportUser' | 'beginErasure' | 'erasure'
  >;
  readonly hints: EverybodyHints;
  /** Something is to be done in the background. */
  readonly wakeChores: () => void;
}

const WORD_MAX_CHARS = 255;

const newUser = z
  .strictObject({
    id: z.custom<string>((id) => idSchema.safeParse(id).success, 'a UUID in lower case').optional(),
    /** The `sub` of the tokens that he will come with. */
    sub: z.string().min(1).max(WORD_MAX_CHARS).optional(),
    name: z.custom<string>(
      (name) => textSchema(1, NAME_MAX_CHARS).safeParse(name).success,
      'a name of 1 to 100 characters',
    ),
    avatarUrl: z
      .custom<string>((at) => urlSchema.safeParse(at).success, 'an http or https URL')
      .nullable()
      .default(null),
    email: z.email().max(WORD_MAX_CHARS).nullable().default(null),
  })
  .refine(({ id, sub }) => (id === undefined) !== (sub === undefined), 'expected id or sub');

const revocation = z.strictObject({ sid: z.string().min(1).max(WORD_MAX_CHARS).optional() });
const nothing = z.strictObject({});

/** `/v1/users`: make, find, bar, export, erase. */
export function userRoutes(deps: UserRouteDeps): Route[] {
  const { store } = deps;
  const path = '/v1/users/:userId';
  return [
    { method: 'POST', path: '/v1/users', action: 'user.create', work: (call) => createUser(deps, call) },
    {
      method: 'GET',
      path: '/v1/users',
      action: 'user.list',
      work: async (call) => ({ status: 200, value: await store.users(pageOf(call)) }),
    },
    {
      method: 'GET',
      path,
      action: 'user.get',
      work: async (call) => ({ status: 200, value: found(await store.user(idIn(call, 'userId')), 'user') }),
    },
    { method: 'POST', path: `${path}/disable`, action: 'user.disable', work: (call) => disable(deps, call, true) },
    { method: 'POST', path: `${path}/enable`, action: 'user.enable', work: (call) => disable(deps, call, false) },
    { method: 'POST', path: `${path}/revoke`, action: 'user.revoke', work: (call) => revoke(deps, call) },
    { method: 'GET', path: `${path}/export`, action: 'user.export', work: (call) => exportUser(deps, call) },
    { method: 'POST', path: `${path}/erase`, action: 'user.erase', work: (call) => erase(deps, call) },
    {
      method: 'GET',
      path: `${path}/erasure`,
      action: 'user.erasure',
      work: async (call) => ({ status: 200, value: found(await store.erasure(idIn(call, 'userId')), 'erasure') }),
    },
  ];
}

async function createUser({ store }: UserRouteDeps, call: AdminCall): Promise<Reply> {
  const { id, sub, name, avatarUrl, email } = bodyOf(newUser, call);
  const made = await store.createUser({ id: id ?? userIdOf(sub ?? ''), name, avatarUrl, email });
  if (!made) throw new Failure('CONFLICT', 'there is such a user already');
  return { status: 201, value: made };
}

async function disable(deps: UserRouteDeps, call: AdminCall, disabled: boolean): Promise<Reply> {
  bodyOf(nothing, call);
  const userId = idIn(call, 'userId');
  if (!(await deps.store.disable(userId, disabled))) throw new Failure('NOT_FOUND', 'no such user');
  return told(deps, userId);
}

async function revoke(deps: UserRouteDeps, call: AdminCall): Promise<Reply> {
  const { sid } = bodyOf(revocation, call);
  const userId = idIn(call, 'userId');
  if (!(await deps.store.revoke(userId, sid ?? null))) throw new Failure('NOT_FOUND', 'no such user');
  return told(deps, userId);
}

async function told(deps: UserRouteDeps, userId: string): Promise<Reply> {
  const told = await tellStanding(deps, userId);
  return { status: 200, value: { ...found(await deps.store.user(userId), 'user'), told } };
}

/** Without the log store nobody can be told: it is done all the same, and every node finds out within half a minute of its return. */
async function tellStanding({ hints }: UserRouteDeps, userId: string): Promise<boolean> {
  try {
    await hints.tell({ type: 'user.standing', userId });
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

async function exportUser({ store }: UserRouteDeps, call: AdminCall): Promise<Reply> {
  const userId = idIn(call, 'userId');
  found(await store.user(userId), 'user');
  return { status: 200, lines: store.exportUser(userId) };
}

async function erase(deps: UserRouteDeps, call: AdminCall): Promise<Reply> {
  bodyOf(nothing, call);
  const begun = found(await deps.store.beginErasure(idIn(call, 'userId')), 'user');
  const told = await tellStanding(deps, begun.userId);
  deps.wakeChores();
  return { status: 202, value: { ...begun, told } };
}
