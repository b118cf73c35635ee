type Id = number | string | null;

const call = (method: string) => (id: Id, path: string, input?: unknown) => ({ id, method, params: { path, input } });

/** Frames that a client says. */
export const query = call('query');
export const mutation = call('mutation');
export const feed = call('subscription');
export const stop = (id: Id) => ({ id, method: 'subscription.stop' });

/** The same call, to go on after an event. */
export const after = (lastEventId: unknown, { params, ...frame }: ReturnType<typeof query>) => ({
  ...frame,
  params: { ...params, lastEventId },
});
