import type { AlertSettings } from '@parley/runtime';
import type { Alert, Recording, RuleGroup } from './rule-file.ts';

/** Codes of failures that are the server's fault, as a regular expression for a label. */
export const OUR_FAULT = 'internal|UNAVAILABLE|UNKNOWN_RETRY|BACKPRESSURE';

/** What is promised of something that happens often, and how it is told that it is not kept. */
interface Objective {
  readonly slo: string;
  readonly alert: string;
  /** Of 1: the part that must be good. */
  readonly target: number;
  /** The part, of 1, that is not good over a range. */
  readonly badPart: (range: string) => string;
  /** How many there were over a range. Without it the objective is one of time, and silence counts, too. */
  readonly events?: (range: string) => string;
  /** Whether somebody may be woken. A budget of 5 % cannot burn 14 times as fast and leave anything to measure. */
  readonly pages: boolean;
  readonly what: string;
  readonly impact: string;
}

/** The label of a bucket's bound. Prometheus 3 writes whole numbers with a fraction, Prometheus 2 does not. */
export function bucketOf(ms: number): string {
  const seconds = String(ms / 1_000);
  return seconds.includes('.') ? `le="${seconds}"` : `le=~"${seconds}|${seconds}.0"`;
}

function latency(metric: string, ms: number, others = ''): Objective['badPart'] {
  return (range) =>
    `1 - sum(rate(${metric}_bucket{${bucketOf(ms)}}[${range}]))
/ (sum(rate(${metric}_count[${range}]))${others.replaceAll('RANGE', range)})`;
}

const failedSends = `
  + (sum(rate(parley_call_seconds_count{path="message.send",outcome=~"${OUR_FAULT}"}[RANGE])) or vector(0))`;

function objectives(settings: AlertSettings): Objective[] {
  const accepts = (range: string) => `sum(increase(parley_message_accept_seconds_count[${range}]))`;
  const deliveries = (range: string) => `sum(increase(parley_message_delivery_seconds_count[${range}]))`;
  return [
    {
      slo: 'accept',
      alert: 'ParleyAcceptSlow',
      target: 0.99,
      badPart: latency('parley_message_accept_seconds', settings.ALERT_ACCEPT_MS, failedSends),
      events: accepts,
      pages: true,
      what: `of sends failed or took longer than ${settings.ALERT_ACCEPT_MS} ms`,
      impact: 'People press Enter and their message stays grey, or their client sends it again and again.',
    },
    {
      slo: 'accept-target',
      alert: 'ParleyAcceptTargetMissed',
      target: 0.95,
      badPart: latency('parley_message_accept_seconds', settings.ALERT_ACCEPT_TARGET_MS, failedSends),
      events: accepts,
      pages: false,
      what: `of sends took longer than ${settings.ALERT_ACCEPT_TARGET_MS} ms`,
      impact: 'Sending feels slower than it was promised to be. Nothing is lost.',
    },
    {
      slo: 'delivery',
      alert: 'ParleyDeliverySlow',
      target: 0.99,
      badPart: latency('parley_message_delivery_seconds', settings.ALERT_DELIVERY_MS),
      events: deliveries,
      pages: true,
      what: `of deliveries took longer than ${settings.ALERT_DELIVERY_MS} ms`,
      impact: 'What one person says is seen late by the others.',
    },
    {
      slo: 'delivery-target',
      alert: 'ParleyDeliveryTargetMissed',
      target: 0.95,
      badPart: latency('parley_message_delivery_seconds', settings.ALERT_DELIVERY_TARGET_MS),
      events: deliveries,
      pages: false,
      what: `of deliveries took longer than ${settings.ALERT_DELIVERY_TARGET_MS} ms`,
      impact: 'Conversations feel slower than it was promised. Nothing is lost.',
    },
    {
      slo: 'persist',
      alert: 'ParleyPersistLate',
      target: 0.995,
      badPart: (range) => `avg_over_time(parley:persist_late:bool[${range}])`,
      pages: true,
      what: `of the time an entry waited longer than ${settings.ALERT_PERSIST_MS} ms for Postgres`,
      impact: 'Chat goes on, but what is accepted is not yet in Postgres: history, search and mail lag behind.',
    },
    {
      slo: 'errors',
      alert: 'ParleyCallsFailing',
      target: 0.999,
      badPart: (range) =>
        `(sum(rate(parley_call_failures_total{code=~"${OUR_FAULT}"}[${range}])) or vector(0))
/ sum(rate(parley_call_seconds_count[${range}]))`,
      events: (range) => `sum(increase(parley_call_seconds_count[${range}]))`,
      pages: true,
      what: 'of calls failed by our fault',
      impact: 'Buttons do nothing, lists do not load, sends are tried again.',
    },
  ];
}

/** All ranges that burn rates are taken over. */
const RANGES = ['5m', '30m', '1h', '6h', '3d'];

/** The part that may be bad, without the noise of binary fractions. */
const budgetOf = ({ target }: Objective) => Number((1 - target).toFixed(6));

function recordings(objective: Objective): Recording[] {
  const labels = { slo: objective.slo };
  const ratios = RANGES.map((range) => ({
    record: `parley:slo_error:ratio_rate${range}`,
    expr: objective.badPart(range),
    labels,
  }));
  ratios.push({ record: 'parley:slo_budget:ratio', expr: `vector(${budgetOf(objective)})`, labels });
  const { events } = objective;
  return events ? [...ratios, { record: 'parley:slo_events:increase1h', expr: events('1h'), labels }] : ratios;
}

/** Both the long range and a twelfth of it: what is over does not go on waking people. */
function burning(objective: Objective, long: string, short: string): (factor: number) => string {
  const over = (range: string, part: string) => `parley:slo_error:ratio_rate${range}{slo="${objective.slo}"} > ${part}`;
  return (factor) => {
    const part = `${factor} * ${budgetOf(objective)}`;
    return `(${over(long, part)} and ${over(short, part)})`;
  };
}

function alertsOf(objective: Objective, minEvents: number): Alert[] {
  const { alert, impact, what, events } = objective;
  const labels = { slo: objective.slo };
  const ticket: Alert = {
    alert,
    expr: burning(objective, '3d', '6h')(1),
    for: '15m',
    severity: 'ticket',
    summary: `For days, more of what we promised was used up than there is: {{ $value | humanizePercentage }} ${what}`,
    impact,
    labels,
  };
  if (!objective.pages) return [ticket];
  const fast = `${burning(objective, '1h', '5m')(14.4)}\nor\n${burning(objective, '6h', '30m')(6)}`;
  const enough = `parley:slo_events:increase1h{slo="${objective.slo}"} >= ${minEvents}`;
  const page: Alert = {
    ...ticket,
    expr: events ? `(\n${fast}\n)\nand ${enough}` : fast,
    for: '2m',
    severity: 'page',
    summary: `{{ $value | humanizePercentage }} ${what}`,
  };
  return [page, ticket];
}

/** The objectives as burn rates over several ranges: fast ones page, slow ones make a ticket. */
export function objectiveGroups(settings: AlertSettings): RuleGroup[] {
  const all = objectives(settings);
  const late: Recording = {
    record: 'parley:persist_late:bool',
    expr: `max(parley_backlog_oldest_seconds) > bool ${settings.ALERT_PERSIST_MS / 1_000}`,
  };
  return [
    { name: 'parley-objectives', rules: [late, ...all.flatMap(recordings)] },
    { name: 'parley-burn-rates', rules: all.flatMap((one) => alertsOf(one, settings.ALERT_MIN_EVENTS)) },
  ];
}
