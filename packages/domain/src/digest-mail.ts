import { excerptOf, noticeTitle } from './notice-words.ts';
import type { Notice, Person } from './ports/offline-store.ts';

/** A mail's words, as text and as HTML. */
export interface DigestMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Messages that are quoted of each channel. */
const QUOTED_MAX = 3;

/** One mail about everything that somebody has not read: how much in each channel, and a line of the newest that may be shown. */
export function digestMail(
  person: Pick<Person, 'name'>,
  notices: readonly Notice[],
  pageUrl: string | null,
): DigestMail {
  const total = notices.reduce((sum, notice) => sum + notice.count, 0);
  const subject = `${messages(total)} unread`;
  const greeting = `Hello ${person.name},`;
  const where = notices.length === 1 ? 'in one conversation' : `in ${notices.length} conversations`;
  const intro = `there ${total === 1 ? 'is' : 'are'} ${messages(total)} that you have not read, ${where}.`;
  const parts = notices.map((notice) => ({
    heading: `${noticeTitle(notice)}: ${messages(notice.count)}`,
    lines: quotesOf(notice),
  }));
  const text = [
    greeting,
    intro,
    ...parts.map(({ heading, lines }) => [heading, ...lines.map((line) => `  ${line}`)].join('\n')),
    ...(pageUrl === null ? [] : [pageUrl]),
  ].join('\n\n');
  const html = [
    `<p>${asHtml(greeting)}</p><p>${asHtml(intro)}</p>`,
    ...parts.map(({ heading, lines }) => {
      const quotes = lines.map((line) => `<li>${asHtml(line)}</li>`).join('');
      return `<h3>${asHtml(heading)}</h3>${quotes === '' ? '' : `<ul>${quotes}</ul>`}`;
    }),
    ...(pageUrl === null ? [] : [`<p><a href="${asHtml(pageUrl)}">${asHtml(pageUrl)}</a></p>`]),
  ].join('\n');
  return { subject, text: `${text}\n`, html };
}

function messages(count: number): string {
  return count === 1 ? '1 message' : `${count} messages`;
}

/** Oldest first. What is encrypted is counted, and not quoted. */
function quotesOf(notice: Notice): string[] {
  const shown = notice.messages.filter((message) => excerptOf(message) !== '').slice(0, QUOTED_MAX);
  return shown.toReversed().map((message) => `${message.senderName}: ${excerptOf(message)}`);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function asHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
