// What one simulated user does. Artillery's own WebSocket engine cannot measure what is pushed (it only sends), so this is the
// stock typed client, and the two promised times are measured here: send to answer, and send to delivery.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';

const SENDS = 20;
const PAUSE_MS = 100;
const PATIENCE_MS = 10_000;

async function signIn(url) {
  const answer = await fetch(`${url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: `load ${randomUUID()}` }),
  });
  if (!answer.ok) throw new Error(`no token: ${answer.status}. Is DEV_TOKENS on?`);
  return (await answer.json()).token;
}

/** Opens a channel's feed; `seen` resolves for each message when it has arrived. */
function watch(chat, channelId) {
  const waiting = new Map();
  const seen = (clientMsgId) => new Promise((resolve) => waiting.set(clientMsgId, resolve));
  const opened = new Promise((resolve, reject) => {
    chat.feed.channel.subscribe(
      { channelId },
      {
        onData: ({ data }) => {
          if (data.type === 'opened') resolve();
          if (data.type === 'message.created') waiting.get(data.message.clientMsgId)?.();
        },
        onError: reject,
      },
    );
  });
  return { opened, seen };
}

/** One user's visit. A message that does not arrive within ten seconds fails the user. */
export async function chat(context, events) {
  const url = context.vars.target;
  const token = await signIn(url);
  const socket = createWSClient({ url: `${url.replace(/^http/, 'ws')}/trpc`, connectionParams: { token } });
  const chat = createTRPCClient({ links: [wsLink({ client: socket })] });
  try {
    const { id: channelId } = await chat.channel.create.mutate({ kind: 'group', name: 'load', memberIds: [] });
    const feed = watch(chat, channelId);
    await feed.opened;
    for (let i = 0; i < SENDS; i++) {
      const clientMsgId = randomUUID();
      const began = performance.now();
      const seen = feed.seen(clientMsgId).then(() => performance.now() - began);
      await chat.message.send.mutate({ channelId, clientMsgId, body: `message ${i} of somebody who is not there` });
      events.emit('histogram', 'chat.send_ms', performance.now() - began);
      const late = new AbortController();
      const deliveryMs = await Promise.race([seen, sleep(PATIENCE_MS, null, { signal: late.signal })]);
      late.abort();
      if (deliveryMs === null) throw new Error(`a message did not arrive within ${PATIENCE_MS} ms`);
      events.emit('histogram', 'chat.delivery_ms', deliveryMs);
      events.emit('counter', 'chat.messages', 1);
      await sleep(PAUSE_MS);
    }
  } finally {
    await socket.close();
  }
}
