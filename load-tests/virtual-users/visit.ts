import { setTimeout as sleep } from 'node:timers/promises';
import { clientOf } from './cast.ts';
import { wordFor } from './failures.ts';
import { positionAt } from './ledger.ts';
import { type Feed, Session } from './session.ts';
import { type Seat, type Stage, say } from './stage.ts';
import { sentence, word } from './words.ts';
import { nextPauseMs, pickWeighted } from './zipf.ts';

/** Of ten users one reads over HTTP, as a script or an old page does. */
const HTTP_ONE_IN = 10;
const CATCH_UP_MS = 5_000;
const AWAY_MS = 3_000;

type Client = Session['client'];
type Look = (client: Client, feed: Feed, seat: Seat) => Promise<unknown>;

/** What people look at, and how often one thing compared with another. */
const LOOKS: readonly (readonly [name: string, weight: number, look: Look])[] = [
  [
    'history',
    30,
    (client, feed) => client.message.page.query({ channelId: feed.channelId, ...older(feed), limit: 50 }),
  ],
  ['list', 15, (client) => client.channel.list.query({ limit: 50 })],
  ['members', 15, (client, { channelId }) => client.member.list.query({ channelId, limit: 50 })],
  ['channel', 15, (client, { channelId }) => client.channel.get.query({ channelId })],
  ['presence', 10, (client, _, { actor }) => client.presence.get.query({ userIds: [actor.userId] })],
  ['me', 5, (client) => client.user.me.query()],
  ['search', 5, (client, { channelId }) => client.message.search.query({ channelId, query: word() })],
  ['stats', 5, (client, { channelId }) => client.channel.stats.query({ channelId })],
];
const WEIGHTS = LOOKS.map(([, weight]) => weight);

/** One user's day: he comes, opens his busiest channels, reads, types, sends, leaves and comes again, until the run cools down. */
export async function visit(stage: Stage, seat: Seat): Promise<void> {
  const { seconds, coolDownSeconds, sessionSeconds } = stage.knobs;
  const leavesAt = seconds - coolDownSeconds * Math.random();
  while (stage.second < leavesAt) {
    await stay(stage, seat, Math.min(leavesAt, stage.second + nextPauseMs(1 / sessionSeconds, Math.random()) / 1_000));
    await sleep(Math.min(AWAY_MS * Math.random() * 2, Math.max(0, leavesAt - stage.second) * 1_000));
  }
}

/** One session. Who is not let in has an error that is counted, and comes again like anybody else. */
async function stay(stage: Stage, seat: Seat, until: number): Promise<void> {
  await using session = new Session({ url: stage.url, token: seat.actor.token }, stage.books);
  const isThere = await attempt(stage, 'join', async () => {
    await session.join();
    const busiest = seat.scenes.slice(0, stage.knobs.openChannels);
    await Promise.all(busiest.map(({ scene }) => session.open(scene.id)));
  });
  if (!isThere) return;
  await beThere(stage, { session, seat, until });
  await catchUp(session, CATCH_UP_MS);
}

async function beThere(stage: Stage, stay: { session: Session; seat: Seat; until: number }): Promise<void> {
  const { session, seat, until } = stay;
  const rates = session.feeds.map(
    ({ channelId }) => seat.scenes.find(({ scene }) => scene.id === channelId)?.perSecond ?? 0,
  );
  const sends = rates.reduce((all, rate) => all + rate, 0);
  const looks = stage.knobs.looksPerMinute / 60;
  const http: Client = seat.index % HTTP_ONE_IN === 0 ? clientOf(stage.url, seat.actor.token) : session.client;
  for (;;) {
    const perSecond = (sends + looks) * stage.pace;
    const pauseMs = nextPauseMs(perSecond, Math.random());
    if (stage.second + pauseMs / 1_000 >= until) {
      await sleep(Math.max(0, until - stage.second) * 1_000);
      return;
    }
    await sleep(pauseMs);
    const speaks = Math.random() * (sends + looks) < sends;
    const feed = session.feeds[speaks ? pickWeighted(rates, Math.random()) : Math.floor(Math.random() * rates.length)];
    if (!feed) continue; // A user without channels only listens to his inbox.
    if (speaks) await speak(stage, session, feed);
    else await look(stage, { session, feed, client: http, seat });
  }
}

/** Half of all messages are seen being typed. */
async function speak(stage: Stage, session: Session, { channelId }: Feed): Promise<void> {
  if (Math.random() < 0.5) {
    await attempt(stage, 'typing', () => session.call((c) => c.typing.set.mutate({ channelId, typing: true })));
    await sleep(300 + 500 * Math.random());
  }
  await attempt(stage, 'send', () => say(stage, session, { channelId, body: sentence() }));
}

/** Somebody who looks has read what there is, and then looks at something else. */
async function look(stage: Stage, at: { session: Session; feed: Feed; client: Client; seat: Seat }): Promise<void> {
  const { session, feed, client, seat } = at;
  if (feed.unread) {
    feed.unread = false;
    const { channelId } = feed;
    const position = positionAt(feed.booked.last);
    await attempt(stage, 'read', () => session.call((c) => c.receipt.read.mutate({ channelId, position })));
  }
  const [name, , ask] = LOOKS[pickWeighted(WEIGHTS, Math.random())] ?? [];
  if (name && ask) await attempt(stage, name, () => session.call(() => ask(client, feed, seat)));
}

/** What fails is counted by its name, and the user goes on; whether it went well. */
async function attempt(stage: Stage, name: string, act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    stage.books.pulse.error(`${name}: ${wordFor(error)}`);
    return false;
  }
}

/** Waits until every feed has what everybody else has had; after that long what is missing counts as missing. */
export async function catchUp(session: Session, forMs: number): Promise<void> {
  const deadline = performance.now() + forMs;
  while (performance.now() < deadline && !session.feeds.every(({ booked }) => booked.caughtUp())) await sleep(20);
}

/** Most look at the newest page, some scroll back. */
function older(feed: Feed): { before?: ReturnType<typeof positionAt> } {
  const { epoch, n } = feed.booked.last;
  if (n < 20 || Math.random() < 0.7) return {};
  return { before: positionAt({ epoch, n: Math.ceil(n * Math.random()) }) };
}
