import {
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  type ECDH,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import webPush from 'web-push';

// Servers of other people, for real, on this machine: what they are sent is read the way they would read it.

/** What a push carries, as the page of a browser gets it. */
export interface PushData {
  readonly id: string;
  readonly channelId: string;
  readonly upTo: string;
  readonly count: number;
  readonly title: string;
  readonly body: string;
}

interface Pushed {
  readonly browser: string;
  readonly topic: string;
  readonly ttl: number;
  readonly data: PushData;
}

/** Listens on a free port of this machine. */
async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** How a server answers one request: a status, which may take its time. */
type Answer = (request: {
  path: string;
  attempt: number;
  headers: IncomingMessage['headers'];
}) => number | Promise<number>;

/** A push service and its browsers: it takes what is signed by the deployment, and only a browser can read it. */
export class PushService implements AsyncDisposable {
  readonly vapid = webPush.generateVAPIDKeys();
  readonly pushed: Pushed[] = [];
  /** Requests that no push service would take, and why. */
  readonly bad: string[] = [];
  answer: Answer = () => 201;
  url = '';
  readonly #browsers = new Map<string, { ecdh: ECDH; auth: Buffer }>();
  readonly #server: Server;
  #attempts = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request).then((status) => response.writeHead(status).end());
    });
  }

  async start(): Promise<this> {
    this.url = await listen(this.#server);
    return this;
  }

  /** What a browser's `PushSubscription.toJSON()` gives. */
  browser(name: string): { endpoint: string; keys: { p256dh: string; auth: string } } {
    const ecdh = createECDH('prime256v1');
    const p256dh = ecdh.generateKeys().toString('base64url');
    const auth = randomBytes(16);
    this.#browsers.set(name, { ecdh, auth });
    return { endpoint: `${this.url}/${name}`, keys: { p256dh, auth: auth.toString('base64url') } };
  }

  async #take(request: IncomingMessage): Promise<number> {
    const body = await buffer(request);
    const name = request.url?.slice(1) ?? '';
    const attempt = ++this.#attempts;
    try {
      this.#checkVapid(request.headers.authorization ?? '');
      const { headers } = request;
      const data = JSON.parse(this.#decrypt(name, body)) as PushData;
      this.pushed.push({ browser: name, topic: String(headers.topic), ttl: Number(headers.ttl), data });
    } catch (error) {
      this.bad.push(String(error));
      return 400;
    }
    return this.answer({ path: name, attempt, headers: request.headers });
  }

  /** RFC 8292. */
  #checkVapid(authorization: string): void {
    const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=(\S+)$/.exec(authorization) ?? [];
    const point = Buffer.from(key, 'base64url');
    if (key !== this.vapid.publicKey) throw new Error(`not the deployment's key: ${authorization}`);
    const half = (from: number) => point.subarray(from, from + 32).toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: half(1), y: half(33) }, format: 'jwk' });
    const [header = '', claims = '', signature = ''] = token.split('.');
    const signed = Buffer.from(`${header}.${claims}`);
    const ok = verify(
      'sha256',
      signed,
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    if (!ok || aud !== this.url || Number(exp) < Date.now() / 1_000 || sub !== 'mailto:ops@example.org') {
      throw new Error(`not a signature of this deployment for this service: ${claims}`);
    }
  }

  /** RFC 8291 in RFC 8188. */
  #decrypt(name: string, body: Buffer): string {
    const browser = this.#browsers.get(name);
    if (!browser) throw new Error(`no such browser: ${name}`);
    const { ecdh, auth } = browser;
    const salt = body.subarray(0, 16);
    const keyBytes = body.readUInt8(20);
    const sender = body.subarray(21, 21 + keyBytes);
    const sealed = body.subarray(21 + keyBytes);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender]);
    const secret = Buffer.from(hkdfSync('sha256', ecdh.computeSecret(sender), auth, info, 32));
    const key = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: aes128gcm\0', 16));
    const nonce = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: nonce\0', 12));
    const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    return padded.subarray(0, padded.lastIndexOf(2)).toString();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closed(this.#server);
  }
}

/** What a webhook carries. */
export interface Delivery {
  readonly id: string;
  readonly userId: string;
  readonly channel: { readonly id: string };
  readonly after: string;
  readonly upTo: string;
  readonly count: number;
  readonly messages: readonly { readonly id: string; readonly body: string | null }[];
}

/** Somebody's server that is called for what people miss, and believes only what is signed. */
export class WebhookReceiver implements AsyncDisposable {
  readonly secret = randomBytes(16).toString('hex');
  /** Every call, also those that were answered with a failure. */
  readonly calls: { readonly id: string; readonly body: string; readonly status: number }[] = [];
  readonly bad: string[] = [];
  answer: Answer = () => 200;
  url = '';
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request).then((status) =>
        response.writeHead(status, { location: `${this.url}/elsewhere` }).end(),
      );
    });
  }

  async start(): Promise<this> {
    this.url = await listen(this.#server);
    return this;
  }

  /** What it was told for good, each once. */
  get deliveries(): Delivery[] {
    const taken = this.calls.filter(({ status }) => status === 200);
    return [...new Map(taken.map(({ id, body }) => [id, JSON.parse(body) as Delivery])).values()];
  }

  async #take(request: IncomingMessage): Promise<number> {
    const body = (await buffer(request)).toString();
    const signature = String(request.headers['parley-signature']);
    const [, seconds = '', given = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
    const expected = createHmac('sha256', this.secret).update(`${seconds}.${body}`).digest();
    const fresh = Math.abs(Date.now() / 1_000 - Number(seconds)) < 300;
    if (!fresh || given === '' || !timingSafeEqual(expected, Buffer.from(given, 'hex'))) {
      this.bad.push(signature);
      return 401;
    }
    const path = request.url ?? '';
    const status = await this.answer({ path, attempt: this.calls.length + 1, headers: request.headers });
    this.calls.push({ id: String(request.headers['parley-delivery']), body, status });
    return status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closed(this.#server);
  }
}

interface ReceivedMail {
  readonly to: readonly string[];
  readonly id: string;
  readonly subject: string;
  /** As it came over the wire, with soft line breaks taken out. */
  readonly raw: string;
}

/** A real mail server that keeps what it is sent. */
export class MailServer implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  /** Mails that it refuses before it takes one. */
  refuses = 0;
  url = '';
  readonly #server: SMTPServer;

  constructor() {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData: (stream, session, done) => {
        void buffer(stream).then((data) => {
          if (this.refuses-- > 0) return done(new Error('not now'));
          const raw = data.toString().replaceAll('=\r\n', '');
          const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(raw)?.[1]?.trim() ?? '';
          const to = session.envelope.rcptTo.map(({ address }) => address);
          this.mails.push({ to, id: header('Message-ID'), subject: header('Subject'), raw });
          done();
        });
      },
    });
  }

  async start(): Promise<this> {
    const listening = this.#server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    this.url = `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** The settings with which workers and apis reach these. */
export function outletEnv(outlets: {
  push?: PushService;
  webhook?: WebhookReceiver;
  mail?: MailServer;
}): Record<string, string> {
  const { push, webhook, mail } = outlets;
  return {
    ...(push && {
      VAPID_PUBLIC_KEY: push.vapid.publicKey,
      VAPID_PRIVATE_KEY: push.vapid.privateKey,
      VAPID_SUBJECT: 'mailto:ops@example.org',
    }),
    ...(webhook && { WEBHOOK_URLS: `${webhook.url}/hook`, WEBHOOK_SECRET: webhook.secret }),
    ...(mail && { SMTP_URL: mail.url, SMTP_FROM: 'Parley <chat@example.org>' }),
  };
}
