import { close, connect, createConnection, createKeys } from '@parley/cache';
import { ENTRY_KINDS, parseLine, parsePlace, positionOf } from '@parley/domain';
import { createLog } from '@parley/runtime';
import type { Answered, Standing } from './compare.ts';

interface LogSide {
  readonly answered: Answered[];
  readonly waiting: Standing[];
}

const SCAN_COUNT = 1_000;

/** The answers that the log store remembers, then what waits in its log: in this order, so that nothing falls between the two. */
export async function readLogSide(url: string, prefix: string): Promise<LogSide> {
  const redis = createConnection({
    url,
    kind: 'log',
    timeoutMs: 10_000,
    log: createLog({ name: 'verify', level: 'fatal' }),
  });
  try {
    await connect(redis);
    const answered: Answered[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}:*:dd:*`, 'COUNT', SCAN_COUNT);
      cursor = next;
      const answers = await Promise.all(keys.map((key) => redis.get(key)));
      answered.push(...keys.flatMap((key, i) => answerOf(key, answers[i] ?? null)));
    } while (cursor !== '0');
    const waiting: Standing[] = [];
    for (const stem of createKeys(prefix).stems) {
      for (const [, fields] of await redis.xrange(`${stem}log`, '-', '+')) waiting.push(...standingOf(fields[1] ?? ''));
    }
    return { answered, waiting };
  } finally {
    await close(redis);
  }
}

/** `…:dd:<channel>:<actor>:<operation>` = `id epoch-n m at`. One that went away while we looked is no answer. */
function answerOf(key: string, answer: string | null): Answered[] {
  const channelId = key.split(':dd:')[1]?.slice(0, 36);
  const space = answer?.indexOf(' ') ?? -1;
  const place = answer === null ? null : parsePlace(answer.slice(space + 1));
  if (answer === null || !channelId || !place) return [];
  return [{ channelId, id: answer.slice(0, space), position: `${place.epoch}-${place.n}` }];
}

function standingOf(text: string): Standing[] {
  const line = parseLine(text);
  if (!line) return [];
  const payload = JSON.parse(line.json) as { id: string; channelId: string };
  const id = line.kind === ENTRY_KINDS.created ? payload.id : null;
  return [{ channelId: payload.channelId, position: positionOf(line), id }];
}
