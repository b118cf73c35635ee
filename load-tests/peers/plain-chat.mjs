// The original documents' design, built plainly: Socket.IO with its Redis adapter; for each send a dedupe key, a sequence number, a counter
// for each member, and a BullMQ job. `ROLE=server` takes the sends, `ROLE=worker` works the jobs off, an INSERT each. Tuned as the
// documentation of each says: WebSockets only, no compression, commands of one send in one pipeline, finished jobs removed, concurrency 50,
// a pool of 20 connections.
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Server } from 'socket.io';

const { REDIS_URL, DATABASE_URL, ROLE } = process.env;
const MEMBERS = Number(process.env.MEMBERS ?? 10);
const DEDUPE_TTL_S = 86_400;

const TABLE = `
  create table if not exists plain_messages (
    channel_id text not null, seq bigint not null, id uuid not null, sender_id text not null, body text not null,
    sent_at timestamptz not null, primary key (channel_id, seq), unique (channel_id, sender_id, id)
  )`;
const INSERT = {
  name: 'insert-message',
  text: `insert into plain_messages (channel_id, seq, id, sender_id, body, sent_at)
         values ($1, $2, $3, $4, $5, to_timestamp($6 / 1000.0)) on conflict do nothing`,
};

async function serve() {
  const redis = new Redis(REDIS_URL);
  const jobs = new Queue('persist', { connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }) });
  const http = createServer();
  const io = new Server(http, {
    adapter: createAdapter(redis.duplicate(), redis.duplicate()),
    transports: ['websocket'],
    perMessageDeflate: false,
    httpCompression: false,
    serveClient: false,
  });

  async function send(socket, { channelId, id, body }, ack) {
    const senderId = socket.id;
    const [[, fresh], [, seq]] = await redis
      .pipeline()
      .set(`dedupe:${channelId}:${id}`, '1', 'EX', DEDUPE_TTL_S, 'NX')
      .incr(`seq:${channelId}`)
      .exec();
    if (fresh === null) return ack({ id, duplicate: true });
    const message = { id, channelId, seq, senderId, body, sentAt: Date.now() };
    const counters = redis.pipeline();
    for (let member = 1; member < MEMBERS; member++) counters.hincrby(`unread:${channelId}:${member}`, channelId, 1);
    await Promise.all([
      counters.exec(),
      jobs.add('message', message, {
        removeOnComplete: true,
        attempts: 5,
        backoff: { type: 'exponential', delay: 1_000 },
      }),
    ]);
    io.to(channelId).emit('message', message);
    return ack({ id, seq });
  }

  io.on('connection', (socket) => {
    const { room } = socket.handshake.auth;
    if (room) socket.join(room);
    socket.emit('joined');
    socket.on('send', (message, ack) => {
      send(socket, message, ack).catch((error) => ack({ error: error.message }));
    });
  });
  http.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${http.address().port}\n`));
}

async function work() {
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
  await pool.query(TABLE);
  const persist = ({ data }) =>
    pool.query({ ...INSERT, values: [data.channelId, data.seq, data.id, data.senderId, data.body, data.sentAt] });
  const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
  const worker = new Worker('persist', persist, { connection, concurrency: 50 });
  await worker.waitUntilReady();
  process.stdout.write('working on persist\n');
}

process.on('disconnect', () => process.exit(0));
await (ROLE === 'worker' ? work() : serve());
