// tRPC's own WebSocket adapter with a subscription as its documentation writes one: an EventEmitter, `on` of node:events, `tracked`.
// No authentication, no limits, nothing durable. It hears Parley's own publications, so that both are woken alike, and tells the event in
// EVENT with the message's body in the place of `@@`.
import { EventEmitter, on } from 'node:events';
import { initTRPC, tracked } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { Redis } from 'ioredis';
import { WebSocketServer } from 'ws';

const BODY = /~#\d{9}[^"]*/;
const EVENT = process.env.EVENT ?? '"@@"';
const redis = new Redis(process.env.REDIS_URL);
const events = new EventEmitter().setMaxListeners(0);
const heard = new Set();
redis.on('message', (topic, line) => {
  const [, , id] = line.split(' ', 3);
  events.emit(topic, { id, event: JSON.parse(EVENT.replace('@@', BODY.exec(line)?.[0] ?? '')) });
});

const t = initTRPC.create();
const channel = t.procedure
  .input((input) => input)
  .subscription(async function* ({ input, signal }) {
    const topic = input.channelId;
    const messages = on(events, topic, { signal });
    if (!heard.has(topic)) {
      heard.add(topic);
      await redis.subscribe(topic);
    }
    yield tracked('1-0', { type: 'opened', channelId: input.channelId });
    for await (const [{ id, event }] of messages) yield tracked(id, event);
  });
const router = t.router({ feed: t.router({ channel }) });

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
applyWSSHandler({ wss, router, createContext: () => ({}) });
wss.on('listening', () => process.stdout.write(`listening on ${wss.address().port}\n`));
process.on('disconnect', () => process.exit(0));
