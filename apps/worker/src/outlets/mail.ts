import type { DigestMail } from '@parley/domain';
import type { Service } from '@parley/runtime';
import { createTransport } from 'nodemailer';
import type { Patience } from './patience.ts';

interface Mail extends DigestMail {
  readonly to: string;
  /** The same for the same mail, however often it is sent. */
  readonly id: string;
}

/** Sends mail by one SMTP server. */
export interface Mailer extends Service {
  /** Resolves when the server has taken it; rejects when it has not, as far as it said. */
  send(mail: Mail): Promise<void>;
}

interface MailerOptions {
  readonly url: string;
  readonly from: string;
  readonly patience: Patience;
}

const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };

/** A mailer that connects with its first mail. A mail's `Message-ID` is its id, so that two copies can be known as one. */
export function createMailer({ url, from, patience }: MailerOptions): Mailer {
  const transport = createTransport({ url, pool: true, maxConnections: 2, ...TIMEOUTS });
  const host = new URL(url).hostname;
  const domain = /@([\w.-]+)>?$/.exec(from)?.[1] ?? host;
  return {
    name: 'mailer',
    run: () => undefined,
    stop: async () => transport.close(),
    async send({ to, id, subject, text, html }) {
      const headers = { 'Auto-Submitted': 'auto-generated' };
      const messageId = `<${id}@${domain}>`;
      await patience(host, () => transport.sendMail({ from, to, subject, text, html, messageId, headers }));
    },
  };
}
