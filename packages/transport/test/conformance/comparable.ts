import type { Heard, Recording, Step } from './player.ts';

/** A recording in which only that order counts on which a client may rely: answers to different requests may overtake each other. */
export interface Comparable {
  readonly steps: readonly { readonly step: string; readonly heard: Record<string, string[]> }[];
  readonly notes: Record<string, unknown[]>;
}

/** What only calls are answered. A call may have the id of a feed, or of another call. */
const OF_A_CALL = [
  /"path":"(?!feeds|late)/,
  /No \\"(query|mutation)\\"/,
  /"data":"(late )?hello"/,
  /"data":\{"(input|put)"/,
];

function keyOf({ client, request, text }: Heard): string {
  return `${client} ${request}${OF_A_CALL.some((sign) => sign.test(text)) ? ' call' : ''}`;
}

/** Errors of no request came of different things, calls with one id are different calls. */
const isFree = (key: string) => key.endsWith(' null') || key.endsWith(' call');

function byRequest({ step, heard }: Step): Comparable['steps'][number] {
  const groups = Object.entries(Object.groupBy(heard, keyOf));
  const lines = groups.map(([key, group = []]): [string, string[]] => {
    const texts = group.map(({ text }) => text);
    return [key, isFree(key) ? texts.sort() : texts];
  });
  return { step, heard: Object.fromEntries(lines) };
}

/** What was told of no request has no order either. */
function sorted([label, notes]: [string, unknown[]]): [string, unknown[]] {
  return [label, label.endsWith(' of unknown undefined') ? notes.map((note) => JSON.stringify(note)).sort() : notes];
}

/** Takes what is inherently different out of a recording. */
export function comparable({ steps, notes }: Recording): Comparable {
  return { steps: steps.map(byRequest), notes: Object.fromEntries(Object.entries(notes).map(sorted)) };
}
