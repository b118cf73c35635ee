/** The same work with at most `max` calls under way. The others wait for their turn, in order. */
export function atOnce<A, R>(max: number, work: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (argument) => {
    if (busy < max) busy++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work(argument);
    } finally {
      // The next one takes this one's place.
      const next = waiting.shift();
      if (next) next();
      else busy--;
    }
  };
}
