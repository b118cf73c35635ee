import { comparePositions, type Message } from '@parley/protocol';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '../src/outbox/entry.ts';
import { ChannelScene, opened } from './channel-scene.ts';
import { FakeChannel, type Fate } from './fake-channel.ts';
import { FakeApi, refusal } from './fake-server.ts';
import { settle } from './manual-clock.ts';

/** One channel with its server: what the server tells comes when it is let. */
class Scene extends ChannelScene {
  readonly server = new FakeChannel();
  /** Somebody else in the channel. */
  readonly other = new FakeApi();

  constructor() {
    super();
    this.server.serve(this.api, 'me');
    this.server.serve(this.other, 'other');
    const { handlers } = this.api;
    const read = handlers['message.page'];
    // A page is on its way for a while: what happens meanwhile is not in it.
    handlers['message.page'] = async (input) => {
      const page = await read?.(input);
      await new Promise<void>((resolve) => void this.clock.after(100, resolve));
      return page ?? { items: [], hasBefore: false, hasAfter: false };
    };
  }

  deliver(count?: number): void {
    for (const { id, event } of this.server.deliver(count)) this.tell(event, id);
  }

  say(body: string): string {
    return this.outbox.enqueue('c', { kind: 'send', draft: { body } });
  }

  change(change: Change): string {
    return this.outbox.enqueue('c', change);
  }

  /** Says something and lets everything come to rest. */
  async said(body: string): Promise<string> {
    const id = this.say(body);
    await this.rest();
    return `id-${id}`;
  }

  async rest(): Promise<void> {
    this.server.fates.length = 0;
    for (let round = 0; round < 6; round += 1) {
      await this.clock.advance(30_000);
      this.server.persist();
      this.deliver();
    }
    await settle();
  }

  get shown() {
    return this.snapshot.messages.map(({ messageId, body, deletedAt, editedAt, reactions }) => ({
      messageId,
      body,
      isDeleted: deletedAt !== null,
      isEdited: editedAt !== null,
      reactions: [...reactions].sort((a, b) => (a.emoji < b.emoji ? -1 : 1)),
    }));
  }
}

const asShown = ({ id, body, deletedAt, editedAt, reactions }: Message) => ({
  messageId: id,
  body,
  isDeleted: deletedAt !== null,
  isEdited: editedAt !== null,
  reactions: [...reactions].sort((a, b) => (a.emoji < b.emoji ? -1 : 1)),
});
const thumb = (count: number, mine: boolean) => [{ emoji: '👍', count, mine }];

let scene: Scene;
let messageId: string;
beforeEach(async () => {
  scene = new Scene();
  await scene.open();
  messageId = await scene.said('first');
});

describe('what a user changes', () => {
  test('[CLIENT-53] an edit, a reaction and a deletion are shown at once, and as the server tells them', async () => {
    scene.change({ kind: 'message.edit', input: { messageId, body: 'second' } });
    scene.change({ kind: 'reaction.add', input: { messageId, emoji: '👍' } });
    expect(scene.shown).toMatchObject([{ body: 'second', isEdited: true, reactions: thumb(1, true) }]);
    expect(scene.snapshot.messages[0]?.isChanging).toBe(true);
    await settle();
    // Answered, and the feed is still behind: nothing goes back.
    expect(scene.shown).toMatchObject([{ body: 'second', reactions: thumb(1, true) }]);
    scene.deliver();
    expect(scene.shown).toMatchObject([{ body: 'second', reactions: thumb(1, true) }]);
    expect(scene.snapshot.messages[0]?.isChanging).toBe(false);
    scene.change({ kind: 'message.delete', input: { messageId } });
    expect(scene.shown).toMatchObject([{ body: '', isDeleted: true, reactions: [] }]);
    await scene.rest();
    expect(scene.shown).toEqual(scene.server.seenBy('me').map(asShown));
  });

  test('[CLIENT-53] what is refused is shown as it was, with the reason, until it is given up', async () => {
    scene.server.fates.push('refused', 'refused', 'refused');
    const edit = scene.change({ kind: 'message.edit', input: { messageId, body: 'second' } });
    scene.change({ kind: 'reaction.add', input: { messageId, emoji: '👍' } });
    scene.change({ kind: 'message.delete', input: { messageId } });
    expect(scene.shown).toMatchObject([{ isDeleted: true }]);
    await settle();
    expect(scene.shown).toEqual([{ messageId, body: 'first', isDeleted: false, isEdited: false, reactions: [] }]);
    expect(scene.snapshot.failed.map(({ operation, refusal: why }) => [operation.kind, why?.code])).toEqual([
      ['message.edit', 'FORBIDDEN'],
      ['reaction.add', 'FORBIDDEN'],
      ['message.delete', 'FORBIDDEN'],
    ]);
    scene.outbox.retry('c', edit);
    expect(scene.shown).toMatchObject([{ body: 'second' }]);
    await settle();
    for (const { id } of scene.snapshot.failed) scene.outbox.discard('c', id);
    expect(scene.snapshot.failed).toEqual([]);
  });

  test('[CLIENT-53] a change that is persisted before its event comes is not taken back in between', async () => {
    scene.change({ kind: 'message.edit', input: { messageId, body: 'second' } });
    await settle();
    scene.outbox.markPersisted('c', '5-2', []);
    expect(scene.outbox.itemsOf('c').getSnapshot()).toEqual([]);
    expect(scene.shown).toMatchObject([{ body: 'second' }]);
    scene.deliver();
    expect(scene.shown).toMatchObject([{ body: 'second' }]);
    expect(scene.snapshot.messages[0]?.isChanging).toBe(false);
  });

  test('[CLIENT-53] what another device changes later is not covered by what was accepted here before', async () => {
    scene.change({ kind: 'message.edit', input: { messageId, body: 'second' } });
    await settle();
    const elsewhere = new FakeApi();
    scene.server.serve(elsewhere, 'me');
    await elsewhere.call('message.edit', { channelId: 'c', messageId, body: 'third' });
    scene.deliver();
    expect(scene.shown).toMatchObject([{ body: 'third' }]);
  });

  test('[CLIENT-53] silence refuses a change at once, and lets a message wait', async () => {
    scene.api.handlers['reaction.add'] = () => {
      throw refusal('SILENCED', { retryAfterMs: 3_600_000 });
    };
    scene.change({ kind: 'reaction.add', input: { messageId, emoji: '👍' } });
    await settle();
    expect(scene.snapshot.failed).toMatchObject([{ refusal: { code: 'SILENCED' } }]);
  });
});

type Step =
  | { readonly what: 'say' | 'persist' | 'lose' | 'reopen' | 'resync' }
  | { readonly what: 'edit' | 'delete' | 'like' | 'unlike' | 'theirLike' | 'theirUnlike'; readonly target: number }
  | { readonly what: 'deliver'; readonly count: number }
  | { readonly what: 'wait'; readonly ms: number }
  | { readonly what: 'fate'; readonly fate: Fate };

const target = fc.nat(4);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant('say' as const) }) },
  { weight: 8, arbitrary: fc.record({ what: fc.constantFrom('edit', 'like', 'unlike'), target }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('delete' as const), target }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('theirLike', 'theirUnlike'), target }) },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('fate' as const),
      fate: fc.constantFrom<Fate>('answered', 'unanswered', 'lost', 'refused'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.constantFrom(0, 60, 300, 6_000) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('persist', 'lose', 'reopen', 'resync') }) },
);

/** Plays the steps. An edit of what is shown must be seen at once. */
async function play(run: Scene, steps: readonly Step[]): Promise<void> {
  let edits = 0;
  for (const each of steps) {
    const positions = run.snapshot.messages.flatMap(({ position }) => position ?? []);
    expect(positions).toEqual(positions.toSorted(comparePositions));
    expect(new Set(run.snapshot.messages.map(({ key }) => key)).size).toBe(run.snapshot.messages.length);
    const known = run.snapshot.messages.filter((shown) => shown.messageId !== null && shown.mark !== 'failed');
    const wanted = 'target' in each ? (known[each.target % Math.max(1, known.length)]?.messageId ?? null) : null;
    const input = { messageId: wanted ?? '', emoji: '👍' };
    if ('target' in each && wanted === null) continue;
    switch (each.what) {
      case 'say':
        run.say(`said ${run.snapshot.messages.length}`);
        break;
      case 'edit': {
        const body = `edit ${++edits}`;
        run.change({ kind: 'message.edit', input: { messageId: input.messageId, body } });
        const shown = run.snapshot.messages.find((message) => message.messageId === wanted);
        if (shown?.message && shown.deletedAt === null) expect(shown.body).toBe(body);
        break;
      }
      case 'delete':
        run.change({ kind: 'message.delete', input: { messageId: input.messageId } });
        break;
      case 'like':
      case 'unlike':
        run.change({ kind: each.what === 'like' ? 'reaction.add' : 'reaction.remove', input });
        break;
      case 'theirLike':
      case 'theirUnlike':
        await run.other
          .call(each.what === 'theirLike' ? 'reaction.add' : 'reaction.remove', { channelId: 'c', ...input })
          .catch(() => undefined);
        break;
      case 'deliver':
        run.deliver(each.count);
        break;
      case 'wait':
        await run.clock.advance(each.ms);
        break;
      case 'fate':
        run.server.fates.push(each.fate);
        break;
      case 'persist':
        run.server.persist();
        break;
      case 'lose':
        run.server.lose();
        break;
      case 'reopen':
        // The feed begins anew, where everything that is waiting is known already.
        run.server.deliver();
        run.tell(opened({ epoch: run.server.epoch, head: run.server.head, resumed: false }), run.server.head);
        break;
      case 'resync':
        run.server.deliver();
        run.tell({ type: 'resync', channelId: 'c', at: 1, reason: 'behind', head: run.server.head }, run.server.head);
        break;
    }
  }
}

test('[CLIENT-54] whatever is lost, refused, repeated or late: at rest a view shows what the server has, and nothing is left over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 40 }), async (steps) => {
      const run = new Scene();
      await run.open();
      await run.said('first');
      await play(run, steps);
      await run.rest();
      const inLog = run.snapshot.messages.filter((shown) => shown.message !== null);
      expect(run.shown.slice(0, inLog.length)).toEqual(run.server.seenBy('me').map(asShown));
      expect(run.snapshot.messages.every((shown) => !shown.isChanging)).toBe(true);
      const items = run.outbox.itemsOf('c').getSnapshot();
      expect(items.filter((item) => item.state !== 'failed')).toEqual([]);
      expect(run.snapshot.messages.length - inLog.length).toBe(
        items.filter((item) => item.operation.kind === 'send').length,
      );
    }),
    { numRuns: 150 },
  );
});
