const clockTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const fullDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const DAY_MS = 86_400_000;

/** `14:05` */
export function timeOfDay(at: number): string {
  return clockTime.format(at);
}

/** The time today, the weekday this week, else the date. */
export function shortTime(at: number, now = Date.now()): string {
  if (dayOf(at) === dayOf(now)) return timeOfDay(at);
  return now - at < 6 * DAY_MS ? weekday.format(at) : date.format(at);
}

/** `Today`, `Yesterday`, or the day in full. */
export function dayName(at: number, now = Date.now()): string {
  if (dayOf(at) === dayOf(now)) return 'Today';
  if (dayOf(at) === dayOf(now - DAY_MS)) return 'Yesterday';
  return fullDay.format(at);
}

/** The same text for two moments of one day, here. */
export function dayOf(at: number): string {
  return new Date(at).toDateString();
}
