/** Something that happened to an entry. Without a time: something that is so now. */
export interface Happening {
  /** Epoch milliseconds; null: now. */
  readonly at: number | null;
  /** Which store or node says so. */
  readonly by: string;
  readonly what: string;
}

/** The entry whose life is told. */
export interface Subject {
  readonly channelId: string;
  readonly position: `${number}-${number}`;
  /** What it is: `message <id>`, `member joined`. */
  readonly title: string;
  /** Null for an entry that is no message. */
  readonly messageId: string | null;
  /** The sender and the id that his client gave it. */
  readonly senderId: string | null;
  readonly operationId: string | null;
}

/** The happenings in the order of their times, those of now last. A time of another machine may be off by what its clock is. */
export function inOrder(happenings: readonly Happening[]): Happening[] {
  return happenings.toSorted((a, b) => (a.at ?? Number.POSITIVE_INFINITY) - (b.at ?? Number.POSITIVE_INFINITY));
}

/** One line a happening: when, how long after the first, who says so, what. */
export function timelineOf({ title, channelId, position }: Subject, happenings: readonly Happening[]): string[] {
  const ordered = inOrder(happenings);
  const first = ordered[0]?.at ?? null;
  const by = Math.max(...ordered.map((happening) => happening.by.length), 0);
  return [
    `${title}, at ${position} of channel ${channelId}`,
    ...ordered.map((happening) => {
      const when = happening.at === null ? 'now'.padEnd(24) : new Date(happening.at).toISOString();
      const after = happening.at === null || first === null ? '' : `+${happening.at - first} ms`;
      return `${when}  ${after.padStart(12)}  ${happening.by.padEnd(by)}  ${happening.what}`;
    }),
  ];
}
