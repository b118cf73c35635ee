import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

/** A bucket on a real HTTP server of this machine, and the settings that name it. */
export interface S3Server extends AsyncDisposable {
  readonly settings: Readonly<Record<string, string>>;
}

const SECRET = 'S3RVER';

/** Starts s3rver behind a front that checks signed links, which s3rver itself does not. */
export async function startS3(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'parley-s3-'));
  const configureBuckets = [{ name: 'attachments' }];
  const store = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets });
  const { port } = await store.run();
  const front = createServer((asked, answer) => {
    if (isLink(asked) && !isValidLink(asked, Date.now())) answer.writeHead(403).end('SignatureDoesNotMatch');
    else pass(asked, answer, port);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    settings: {
      S3_ENDPOINT: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
      S3_BUCKET: 'attachments',
      S3_ACCESS_KEY_ID: SECRET,
      S3_SECRET_ACCESS_KEY: SECRET,
      S3_FORCE_PATH_STYLE: 'true',
    },
    [Symbol.asyncDispose]: async () => {
      await closed(front);
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function pass(asked: IncomingMessage, answer: ServerResponse, port: number): void {
  const { method, url: path, headers } = asked;
  const onward = request({ host: '127.0.0.1', port, method, path, headers }, (answered) => {
    answer.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  // Whoever leaves early leaves the store early, too.
  answer.on('close', () => onward.destroy());
  asked.pipe(onward);
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

const isLink = ({ url = '' }: IncomingMessage) => url.includes('X-Amz-Signature=');

/** Signature Version 4 of a link, computed anew from what was asked: its method, path, query, signed headers and time. */
function isValidLink(asked: IncomingMessage, now: number): boolean {
  const url = new URL(asked.url ?? '', `http://${asked.headers.host}`);
  const given = (name: string) => url.searchParams.get(`X-Amz-${name}`) ?? '';
  const [, date = '', region = '', service = ''] = given('Credential').split('/');
  const signed = given('SignedHeaders').split(';');
  const query = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature');
  const canonical = [
    asked.method,
    url.pathname,
    query
      .map((pair) => pair.map(encoded).join('='))
      .sort()
      .join('&'),
    ...signed.map((name) => `${name}:${String(asked.headers[name] ?? '').trim()}`),
    '',
    signed.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  const key = [date, region, service, 'aws4_request'].reduce<Buffer | string>(mac, `AWS4${SECRET}`);
  const signature = mac(key, `AWS4-HMAC-SHA256\n${given('Date')}\n${scope}\n${hash}`).toString('hex');
  const at = given('Date').replace(/^(....)(..)(..T..)(..)(..)Z$/, '$1-$2-$3:$4:$5Z');
  const expiresAt = Date.parse(at) + Number(given('Expires')) * 1_000;
  return signature === given('Signature') && now < expiresAt;
}

function mac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
