// A chat on Socket.IO with its Redis adapter, as its documentation builds one, tuned as its performance page advises: WebSockets only, no
// compression, no client files, the first request of a connection not kept, ws with its native add-on. No authentication, no limits,
// nothing durable, no resume.
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

const pub = new Redis(process.env.REDIS_URL);
const sub = pub.duplicate();
const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(pub, sub),
  transports: ['websocket'],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});
io.engine.on('connection', (raw) => {
  raw.request = null;
});

io.on('connection', (socket) => {
  const { room } = socket.handshake.auth;
  if (room) socket.join(room);
  socket.emit('joined');
  socket.on('send', ({ channelId, id, body }, ack) => {
    const sentAt = Date.now();
    io.to(channelId).emit('message', { id, channelId, senderId: socket.id, body, sentAt });
    ack({ id, sentAt });
  });
});

http.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${http.address().port}\n`));
process.on('disconnect', () => process.exit(0));
