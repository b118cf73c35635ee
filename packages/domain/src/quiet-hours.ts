import type { QuietHours } from './ports/offline-store.ts';

/** Whether it is a time at which the user does not want to be reached, where he is. An unknown time zone is taken for UTC. */
export function isQuiet(quietHours: QuietHours | null, nowMs: number): boolean {
  if (quietHours === null) return false;
  const { from, to, timeZone } = quietHours;
  const now = timeOfDay(nowMs, timeZone);
  // Over midnight it is quiet after the beginning or before the end.
  return from <= to ? from <= now && now < to : from <= now || now < to;
}

function timeOfDay(nowMs: number, timeZone: string): string {
  const hours = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  try {
    return new Intl.DateTimeFormat('en-GB', { ...hours, timeZone }).format(nowMs);
  } catch (error) {
    if (error instanceof RangeError)
      return new Intl.DateTimeFormat('en-GB', { ...hours, timeZone: 'UTC' }).format(nowMs);
    throw error;
  }
}
