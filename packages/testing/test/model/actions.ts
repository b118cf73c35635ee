import type { ShownMessage } from '@parley/client';
import type { ChatUser } from './chat-user.ts';
import type { World } from './world.ts';

/** Something that users or fate do to a world, by chance; how often, in comparison with the others. */
interface Action {
  readonly weight: number;
  /** False: there was nothing to do it to. */
  do(world: World): Promise<boolean> | boolean;
}

/** What a channel shows a user of what the log has. */
function shownTo(user: ChatUser, channelId: string): readonly ShownMessage[] {
  return user
    .look(channelId)
    .store.getSnapshot()
    .messages.filter((each) => each.messageId !== null);
}

function somebody(world: World): { user: ChatUser; channelId: string } {
  return { user: world.schedule.pick(world.users), channelId: world.schedule.pick(world.channels) };
}

function onMessage(
  world: World,
  isOwn: boolean,
  change: (user: ChatUser, on: { channelId: string; messageId: string }) => void,
) {
  const { user, channelId } = somebody(world);
  const may = shownTo(user, channelId).filter((each) => (!isOwn || each.isOwn) && each.deletedAt === null);
  if (may.length === 0) return false;
  const { messageId } = world.schedule.pick(may);
  if (messageId === null) return false;
  change(user, { channelId, messageId });
  return true;
}

/** What people do. */
const DEEDS: Record<string, Action> = {
  send: {
    weight: 40,
    do(world) {
      const { user, channelId } = somebody(world);
      user.send(channelId, `${world.said++}`);
      return true;
    },
  },
  edit: {
    weight: 8,
    do: (world) =>
      onMessage(world, true, (user, { channelId, messageId }) => {
        const input = { messageId, body: `edited ${world.said++}` };
        user.change(channelId, { kind: 'message.edit', input });
      }),
  },
  delete: {
    weight: 4,
    do: (world) =>
      onMessage(world, true, (user, { channelId, messageId }) => {
        user.change(channelId, { kind: 'message.delete', input: { messageId } });
      }),
  },
  react: {
    weight: 8,
    do: (world) =>
      onMessage(world, false, (user, { channelId, messageId }) => {
        const kind = world.schedule.pick(['reaction.add', 'reaction.add', 'reaction.remove'] as const);
        user.change(channelId, { kind, input: { messageId, emoji: world.schedule.pick(['👍', '🎉']) } });
      }),
  },
  read: {
    weight: 6,
    do(world) {
      const { user, channelId } = somebody(world);
      user.client.markRead(channelId);
      return true;
    },
  },
};

/** What befalls them. */
const FAULTS: Record<string, Action> = {
  'move a user': {
    weight: 6,
    do(world) {
      const user = world.schedule.pick(world.users);
      user.disconnect();
      return true;
    },
  },
  'kill an api': {
    weight: 2,
    do(world) {
      world.killApi(world.schedule.pick(world.apis));
      return true;
    },
  },
  'kill a worker': {
    weight: 3,
    do(world) {
      world.killWorker(world.schedule.pick(world.workers));
      return true;
    },
  },
  'drop publications': {
    weight: 3,
    do(world) {
      return world.schedule.pick(world.apis).broker.drop();
    },
  },
  'cut a subscriber': {
    weight: 2,
    do(world) {
      world.schedule.pick(world.apis).broker.cut();
      return true;
    },
  },
  replicate: {
    weight: 6,
    async do(world) {
      world.copy = await world.master.copy();
      return true;
    },
  },
  'fail over': {
    weight: 3,
    async do(world) {
      await world.failOver();
      return true;
    },
  },
  'turn a zombie': {
    weight: 4,
    do(world) {
      const zombies = world.processes.filter((each) => each.logStore.server !== world.master);
      if (zombies.length === 0) return false;
      world.schedule.pick(zombies).turnTo(world.master);
      return true;
    },
  },
  'restart the log store': {
    weight: 1,
    async do(world) {
      await world.master.restart();
      world.reconnect(world.master);
      return true;
    },
  },
  'wipe the log store': {
    weight: 0.5,
    async do(world) {
      await world.lose(() => world.master.wipe());
      world.reconnect(world.master);
      return true;
    },
  },
  FLUSHALL: {
    weight: 0.7,
    async do(world) {
      await world.lose(() => world.master.flushAll());
      return true;
    },
  },
  'SCRIPT FLUSH': {
    weight: 1,
    async do(world) {
      await world.master.forgetScripts();
      return true;
    },
  },
};

export const FAULT_NAMES = Object.keys(FAULTS);

/** Does one thing, and says which. */
export async function act(world: World, faults: ReadonlySet<string>): Promise<string> {
  const may = Object.entries({ ...DEEDS, ...FAULTS }).filter(([name]) => name in DEEDS || faults.has(name));
  for (;;) {
    const [name, action] = chosen(may, world.schedule.chance());
    if (await action.do(world)) return name;
  }
}

/** One of them, as likely as it weighs. */
function chosen(may: readonly [string, Action][], chance: number): [string, Action] {
  let left = chance * may.reduce((sum, [, { weight }]) => sum + weight, 0);
  for (const each of may) {
    left -= each[1].weight;
    if (left < 0) return each;
  }
  throw new RangeError('nothing may happen');
}
