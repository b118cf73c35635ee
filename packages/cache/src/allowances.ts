import type { Limit, LoadFactors } from '@parley/domain';

/** For long one call each `costMs`; a full allowance holds `burst` calls. */
export interface Rate {
  readonly type: 'rate';
  readonly costMs: number;
  readonly burst: number;
}

/** Any span of `spanMs` holds at most `calls`. */
export interface Span {
  readonly type: 'span';
  readonly spanMs: number;
  readonly calls: number;
}

/** How often something may be done. */
export type Allowance = Rate | Span;

export type Allowances = Readonly<Record<Limit, Allowance>>;

interface LimitSettings {
  readonly SEND_RATE_PER_MINUTE: number;
  readonly SEND_BURST: number;
  readonly SEARCHES_PER_MINUTE: number;
  readonly CHANNEL_CREATES_PER_HOUR: number;
  readonly CHANNEL_JOINS_PER_HOUR: number;
  readonly ATTACHMENTS_PER_HOUR: number;
  readonly TICKETS_PER_HOUR: number;
  readonly HTTP_QUERIES_PER_HOUR: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the settings allow each user. */
export function allowancesOf(settings: LimitSettings): Allowances {
  return {
    'message.send': { type: 'rate', costMs: MINUTE_MS / settings.SEND_RATE_PER_MINUTE, burst: settings.SEND_BURST },
    'message.search': { type: 'span', spanMs: MINUTE_MS, calls: settings.SEARCHES_PER_MINUTE },
    'channel.create': hourly(settings.CHANNEL_CREATES_PER_HOUR),
    'channel.join': hourly(settings.CHANNEL_JOINS_PER_HOUR),
    'attachment.create': hourly(settings.ATTACHMENTS_PER_HOUR),
    'session.ticket': hourly(settings.TICKETS_PER_HOUR),
    'http.query': hourly(settings.HTTP_QUERIES_PER_HOUR),
  };
}

function hourly(calls: number): Span {
  return { type: 'span', spanMs: HOUR_MS, calls };
}

/** What is left of an allowance under load: at least one call, and no more than all of it. */
export function shrink(allowance: Allowance, { sends, calls }: LoadFactors): Allowance {
  if (allowance.type === 'span') return { ...allowance, calls: part(allowance.calls, calls) };
  // The burst costs the same time as before, so that what was taken under another load counts in proportion.
  const burst = part(allowance.burst, sends);
  return { ...allowance, burst, costMs: (allowance.costMs * allowance.burst) / burst };
}

function part(whole: number, factor: number): number {
  return Math.min(whole, Math.max(1, Math.floor(whole * factor)));
}
