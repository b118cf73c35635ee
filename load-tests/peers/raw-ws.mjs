// The floor of Node: one subscriber of Redis, one frame a message, written to every socket of the room as it is. No authentication, no
// limits, no back-pressure, no resume, nothing durable. It hears Parley's own publications, so that both are woken alike, and writes
// the text in FRAME with the message's body in the place of `@@`.
import { Redis } from 'ioredis';
import { Sender, WebSocketServer } from 'ws';

const BODY = /~#\d{9}[^"]*/;
const FRAME = process.env.FRAME ?? '@@';
const rooms = new Map();
const redis = new Redis(process.env.REDIS_URL);
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

redis.on('messageBuffer', (channel, payload) => {
  const sockets = rooms.get(channel.toString());
  if (!sockets) return;
  const text = Buffer.from(FRAME.replace('@@', BODY.exec(payload.toString())?.[0] ?? ''));
  const frame = Buffer.concat(Sender.frame(text, { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }));
  for (const socket of sockets) socket.write(frame);
});

server.on('connection', (ws, req) => {
  const topic = new URL(req.url, 'ws://x').searchParams.get('room');
  const socket = ws._socket;
  let sockets = rooms.get(topic);
  if (!sockets) {
    sockets = new Set();
    rooms.set(topic, sockets);
    void redis.subscribe(topic);
  }
  sockets.add(socket);
  ws.on('close', () => sockets.delete(socket));
});

server.on('listening', () => process.stdout.write(`listening on ${server.address().port}\n`));
process.on('disconnect', () => process.exit(0));
