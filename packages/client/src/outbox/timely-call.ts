import type { ClientClock } from '../clock.ts';

/** An answer that takes longer is not waited for: the outcome is unknown, and the operation goes again. */
const ANSWER_WITHIN_MS = 15_000;

/** A call's answer. Throws, and aborts the call, when it takes too long; aborts it, too, when all is to stop. */
export async function timely<T>(
  call: (signal: AbortSignal) => Promise<T>,
  clock: ClientClock,
  stopping: AbortSignal,
): Promise<T> {
  const giveUp = new AbortController();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(ANSWER_WITHIN_MS, () => {
    late.reject(new Error('no answer in time'));
    giveUp.abort();
  });
  try {
    return await Promise.race([call(AbortSignal.any([giveUp.signal, stopping])), late.promise]);
  } finally {
    cancel();
  }
}
