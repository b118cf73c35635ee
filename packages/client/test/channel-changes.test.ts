import type { Answer, Member, Message } from '@parley/protocol';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { receiptsOf } from '../src/channel/receipts.ts';
import { ChannelScene, opened, type Page, page } from './channel-scene.ts';
import { lostSocket, messageAt } from './fake-server.ts';
import { settle } from './manual-clock.ts';

let scene: ChannelScene;
beforeEach(() => {
  scene = new ChannelScene();
});

const inChannel = { channelId: 'c', at: 1 } as const;
const person = (id: string) =>
  ({ id, name: id, avatarUrl: null, status: 'offline', statusText: null, lastSeenAt: null }) as const;
const member = (userId: string, more: Partial<Member> = {}): Member => ({
  userId,
  role: 'member',
  joinedAt: 1,
  user: person(userId),
  deliveredTo: null,
  readTo: null,
  ...more,
});

describe('changes of messages', () => {
  test('[CLIENT-55] edits, deletions, reactions and reply counts change what is shown', async () => {
    scene.pages = [() => page([messageAt('5-1'), messageAt('5-2')])];
    await scene.open();
    const edited = messageAt('5-1', { body: 'better', editedAt: 9 });
    scene.tell({ type: 'message.updated', ...inChannel, position: '5-3', message: edited }, '5-3');
    const reactions = [{ emoji: '👍', count: 2, mine: true }];
    scene.tell({ type: 'reaction.changed', ...inChannel, position: '5-4', messageId: 'id-5-1', reactions }, '5-4');
    const reply = messageAt('5-5', { threadOf: 'id-5-1' });
    const thread = { messageId: 'id-5-1', replyCount: 1 };
    scene.tell({ type: 'message.created', ...inChannel, message: reply, thread }, '5-5');
    scene.tell(
      {
        type: 'message.deleted',
        ...inChannel,
        position: '5-6',
        messageId: 'id-5-2',
        messagePosition: '5-2',
        deletedAt: 9,
      },
      '5-6',
    );
    expect(scene.snapshot.messages).toMatchObject([
      { body: 'better', editedAt: 9, reactions, replyCount: 1, mark: 'persisted' },
      { body: '', deletedAt: 9 },
      { body: 'body 5-5', threadOf: 'id-5-1' },
    ]);
  });

  test('[CLIENT-55] a page that was read before a change does not undo it, whichever comes first', async () => {
    const change = fc.constantFrom('edit', 'react', 'delete');
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.nat(6), async (changes, readAfter) => {
        const run = new ChannelScene();
        const loading = Promise.withResolvers<Page>();
        let state = messageAt('5-1');
        const states: Message[] = [state];
        run.pages = [() => page([messageAt('5-9')], true), () => loading.promise];
        await run.open();
        const older = run.view.loadOlder();
        for (const [at, what] of changes.entries()) {
          const position = `5-${10 + at}` as const;
          const { id: messageId } = state;
          if (state.deletedAt !== null) break;
          if (what === 'edit') {
            state = { ...state, body: `edit ${at}`, editedAt: at };
            run.tell({ type: 'message.updated', ...inChannel, position, message: state }, position);
          } else if (what === 'react') {
            state = { ...state, reactions: [{ emoji: '👍', count: at + 1, mine: false }] };
            run.tell(
              { type: 'reaction.changed', ...inChannel, position, messageId, reactions: state.reactions },
              position,
            );
          } else {
            state = { ...state, body: '', reactions: [], deletedAt: 7 };
            const gone = { messageId, messagePosition: '5-1', deletedAt: 7 } as const;
            run.tell({ type: 'message.deleted', ...inChannel, position, ...gone }, position);
          }
          states.push(state);
        }
        loading.resolve(page([states[Math.min(readAfter, states.length - 1)] ?? state]));
        await older;
        const { body, deletedAt, reactions } = state;
        expect(run.snapshot.messages[0]).toMatchObject({ body, deletedAt, reactions });
      }),
      { numRuns: 60 },
    );
  });

  test('[CLIENT-55] a change that did not come to be makes the view ask what is so', async () => {
    scene.pages = [() => page([messageAt('5-1')]), () => page([messageAt('5-1')])];
    await scene.open();
    const message = messageAt('5-1', { body: 'never', editedAt: 9 });
    scene.tell({ type: 'message.updated', ...inChannel, position: '5-2', message }, '5-2');
    scene.tell({ type: 'message.superseded', ...inChannel, position: '5-2', by: null }, '5-2');
    await settle();
    expect(scene.bodies).toEqual(['body 5-1']);
  });
});

describe('typing', () => {
  const types = (userId: string, typing: boolean) =>
    scene.tell({ type: 'typing.changed', ...inChannel, userId, typing });

  test('[CLIENT-56] who types is listed until he ends, sends, leaves, or the connection is lost; oneself never', async () => {
    await scene.open();
    for (const userId of ['ada', 'ben', 'cleo', 'me']) types(userId, true);
    expect(scene.snapshot.typing).toEqual(['ada', 'ben', 'cleo']);
    types('ada', false);
    scene.create(messageAt('5-1', { senderId: 'ben' }));
    expect(scene.snapshot.typing).toEqual(['cleo']);
    scene.tell({ type: 'member.left', ...inChannel, position: '5-2', userId: 'cleo' });
    expect(scene.snapshot.typing).toEqual([]);
    types('ada', true);
    scene.view.disconnected();
    expect(scene.snapshot.typing).toEqual([]);
    types('ada', true);
    scene.tell(opened({ resumed: true }));
    expect(scene.snapshot.typing).toEqual([]);
  });

  test('[CLIENT-56] an end that never comes does not last', async () => {
    await scene.open();
    types('ada', true);
    await scene.clock.advance(50_000);
    expect(scene.snapshot.typing).toEqual(['ada']);
    await scene.clock.advance(11_000);
    expect(scene.snapshot.typing).toEqual([]);
  });
});

describe('members', () => {
  const members = () => scene.view.members.store.getSnapshot();
  const list = (items: Member[], nextCursor: string | null = null): Answer<'member.list'> => ({ items, nextCursor });

  test('[CLIENT-57] members are loaded page by page when somebody wants them, and follow the feed', async () => {
    const asked: (string | undefined)[] = [];
    scene.api.handlers['member.list'] = ({ cursor }) => {
      asked.push(cursor);
      return cursor ? list([member('ben')]) : list([member('ada', { role: 'owner' })], 'next');
    };
    await scene.open();
    expect(members().state).toBe('idle');
    const end = scene.view.members.watch();
    await settle();
    expect(asked).toEqual([undefined, 'next']);
    const named = () => members().members.map(({ userId, role }) => `${userId} ${role}`);
    expect(named()).toEqual(['ada owner', 'ben member']);
    scene.tell({ type: 'member.joined', ...inChannel, position: '5-1', member: member('cleo') });
    scene.tell({ type: 'member.updated', ...inChannel, position: '5-2', member: member('ben', { role: 'admin' }) });
    expect(named()).toEqual(['ada owner', 'ben admin', 'cleo member']);
    scene.tell({ type: 'member.left', ...inChannel, position: '5-3', userId: 'ada' });
    scene.tell({ type: 'receipt.updated', ...inChannel, userId: 'ben', deliveredTo: '5-3', readTo: '5-2' });
    scene.tell({ type: 'receipt.updated', ...inChannel, userId: 'ben', deliveredTo: '5-1', readTo: null });
    scene.create(messageAt('5-4', { senderId: 'cleo' }));
    expect(members().members).toMatchObject([
      { userId: 'ben', deliveredTo: '5-3', readTo: '5-2' },
      { userId: 'cleo', deliveredTo: '5-4', readTo: '5-4' },
    ]);
    end();
    expect(members()).toMatchObject({ state: 'idle', members: [] });
  });

  test('[CLIENT-57] cursors told while the feed was away are asked for when it opens again; none goes back', async () => {
    let readTo: Member['readTo'] = '5-1';
    scene.api.handlers['member.list'] = () => list([member('ben', { readTo })]);
    await scene.open();
    scene.view.members.watch();
    await settle();
    scene.tell({ type: 'receipt.updated', ...inChannel, userId: 'ben', deliveredTo: '5-8', readTo: '5-4' });
    readTo = '5-7';
    scene.tell(opened({ resumed: true }));
    await settle();
    expect(members().members).toMatchObject([{ readTo: '5-7', deliveredTo: '5-8' }]);
  });

  test('[CLIENT-57] what is told while the list is loaded holds; a list that fails is asked for again', async () => {
    const loading = Promise.withResolvers<Answer<'member.list'>>();
    const answer = [() => Promise.reject(lostSocket()), () => loading.promise];
    scene.api.handlers['member.list'] = () => answer.shift()?.() ?? list([]);
    await scene.open();
    scene.view.members.watch();
    await scene.clock.advance(1_000);
    scene.tell({ type: 'member.joined', ...inChannel, position: '5-1', member: member('cleo') });
    scene.tell({ type: 'member.left', ...inChannel, position: '5-2', userId: 'ada' });
    scene.tell({
      type: 'member.updated',
      ...inChannel,
      position: '5-3',
      member: member('ben', { role: 'admin', readTo: '5-3' }),
    });
    loading.resolve(list([member('ada'), member('ben')]));
    await settle();
    expect(members().members).toEqual([member('ben', { role: 'admin' }), member('cleo')]);
  });

  test('[CLIENT-58] a message has reached the members whose cursors are at or after it, and not its sender', () => {
    const all = [
      member('me', { deliveredTo: '5-9', readTo: '5-9' }),
      member('ada', { deliveredTo: '5-4', readTo: '5-2' }),
      member('ben', { readTo: '6-1' }),
      member('cleo'),
    ];
    const at = (position: '5-3' | '6-2' | null) => receiptsOf(all, { position, senderId: 'me' });
    expect(at('5-3')).toEqual({ deliveredTo: ['ada', 'ben'], readBy: ['ben'] });
    expect(at('6-2')).toEqual({ deliveredTo: [], readBy: [] });
    expect(at(null)).toEqual({ deliveredTo: [], readBy: [] });
  });
});

describe('threads', () => {
  const reply = (position: `${number}-${number}`, more: Partial<Message> = {}) =>
    messageAt(position, { threadOf: 'id-5-1', ...more });

  test('[CLIENT-62] a thread shows all its replies, old, live and own, and none of the channel’s other messages', async () => {
    scene.pages = [() => page([messageAt('5-1')])];
    scene.api.handlers['message.thread'] = ({ after }) =>
      after
        ? { items: [reply('5-3')], hasBefore: true, hasAfter: false }
        : { items: [reply('5-2')], hasBefore: false, hasAfter: true };
    scene.api.handlers['message.send'] = () => new Promise(() => undefined);
    await scene.open();
    const thread = scene.view.openThread('id-5-1');
    await settle();
    const bodies = () => thread.store.getSnapshot().messages.map(({ body }) => body);
    expect(bodies()).toEqual(['body 5-2', 'body 5-3']);
    scene.create(messageAt('5-4'));
    scene.create(reply('5-5', { body: 'live' }));
    scene.outbox.enqueue('c', { kind: 'send', draft: { body: 'mine', threadOf: 'id-5-1' } });
    scene.outbox.enqueue('c', { kind: 'send', draft: { body: 'elsewhere' } });
    expect(bodies()).toEqual(['body 5-2', 'body 5-3', 'live', 'mine']);
    scene.outbox.enqueue('c', { kind: 'message.edit', input: { messageId: 'id-5-5', body: 'changed' } });
    expect(bodies()).toEqual(['body 5-2', 'body 5-3', 'changed', 'mine']);
    thread.close();
    scene.create(reply('5-6'));
    expect(bodies()).toHaveLength(4);
  });
});
