import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { mayRetry } from './failures.ts';
import { type Place, positionAt } from './ledger.ts';
import { type Feed, Session } from './session.ts';
import { type Seat, type Stage, say } from './stage.ts';
import { catchUp } from './visit.ts';
import { sentence } from './words.ts';

const CATCH_UP_MS = 30_000;
const ANSWER_WITHIN_MS = 60_000;

/** Everybody sends at the same time as fast as answers come; everybody must see the same, in the same order. */
export async function ordering(stage: Stage, seat: Seat): Promise<void> {
  await using session = await openAll(stage, seat);
  await stage.all('everybody has opened');
  for (let i = 0; i < stage.knobs.messages; i++) await sayUntilAnswered(stage, session, anyChannel(seat));
  await leaveTogether(stage, session);
}

/** Lines are cut again and again while everybody sends; the stock client comes back by itself, and no feed may show it. */
export async function reconnect(stage: Stage, seat: Seat): Promise<void> {
  const { messages, cuts, seconds } = stage.knobs;
  await using session = await openAll(stage, seat);
  await stage.all('everybody has opened');
  const talk = async () => {
    for (let i = 0; i < messages; i++) {
      await sleep((seconds * 1_000 * 2 * Math.random()) / messages);
      await sayUntilAnswered(stage, session, anyChannel(seat));
    }
  };
  const tunnels = async () => {
    for (let i = 0; i < cuts; i++) {
      await sleep((seconds * 1_000 * 2 * Math.random()) / (cuts + 1));
      session.cut();
    }
  };
  await Promise.all([talk(), tunnels()]);
  await leaveTogether(stage, session);
}

/** Half go away, the others talk; who returns is told how much he has missed, and gets it once, in order. */
export async function offline(stage: Stage, seat: Seat): Promise<void> {
  await using session = await openAll(stage, seat);
  await stage.all('everybody has opened');
  await sayUntilAnswered(stage, session, anyChannel(seat));
  await stage.all('everybody has said something');
  await catchUp(session, CATCH_UP_MS);
  if (seat.index % 2 === 1) {
    await goAndComeBack(stage, seat, session);
    return;
  }
  await stage.all('half are away');
  for (let i = 0; i < stage.knobs.messages; i++) await sayUntilAnswered(stage, session, anyChannel(seat));
  await stage.all('the others have talked');
  await leaveTogether(stage, session);
}

async function goAndComeBack(stage: Stage, seat: Seat, first: Session): Promise<void> {
  const before = first.feeds;
  for (const feed of before) await read(first, feed);
  await first.close();
  await stage.all('half are away');
  await stage.all('the others have talked');
  await using session = new Session({ url: stage.url, token: seat.actor.token }, stage.books);
  const { channels } = await session.join();
  for (const { channelId, booked } of before) {
    const told = channels.find(({ id }) => id === channelId)?.unread;
    if (told !== stage.books.ledger.countBehind(channelId, booked.last)) stage.unreadWrong++;
  }
  await Promise.all(before.map(({ channelId, booked }) => session.open(channelId, booked.last)));
  await leaveTogether(stage, session);
}

async function openAll(stage: Stage, seat: Seat): Promise<Session> {
  await using cleanup = new AsyncDisposableStack();
  const session = cleanup.use(new Session({ url: stage.url, token: seat.actor.token }, stage.books));
  await session.join();
  await Promise.all(seat.scenes.map(({ scene }) => session.open(scene.id)));
  cleanup.move();
  return session;
}

async function leaveTogether(stage: Stage, session: Session): Promise<void> {
  await stage.all('everybody is done');
  await catchUp(session, CATCH_UP_MS);
  await stage.all('everybody has seen it');
}

function read(session: Session, feed: Feed): Promise<unknown> {
  const { channelId } = feed;
  return session.call((client) => client.receipt.read.mutate({ channelId, position: positionAt(feed.booked.last) }));
}

function anyChannel(seat: Seat): string {
  const scene = seat.scenes[Math.floor(Math.random() * seat.scenes.length)];
  if (!scene) throw new Error('every user of an exact scenario must have a channel');
  return scene.scene.id;
}

/** As an outbox does: the same id, until there is an answer. */
async function sayUntilAnswered(stage: Stage, session: Session, channelId: string): Promise<Place> {
  const id = randomUUID();
  const body = sentence();
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  for (;;) {
    try {
      return await say(stage, session, { channelId, body, id });
    } catch (error) {
      if (!mayRetry(error) || performance.now() > deadline) throw error;
      await sleep(50 + 100 * Math.random());
    }
  }
}
