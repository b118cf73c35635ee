/** What a call was about, by ids alone: enough to find it, nothing of what was said. */
export type CallSubject = Readonly<Record<string, string>>;

const IDS = ['channelId', 'messageId', 'clientMsgId', 'attachmentId'] as const;
const ID = /^[\w-]{1,64}$/;

const subjects = new WeakMap<object, CallSubject>();

/** Remembers with an error of which call it is, for whoever writes it down. */
export function rememberSubject(error: unknown, userId: string, input: unknown): void {
  if (typeof error !== 'object' || error === null) return;
  const subject: Record<string, string> = { userId };
  if (typeof input === 'object' && input !== null) {
    for (const name of IDS) keep(subject, name, Reflect.get(input, name));
    const op: unknown = Reflect.get(input, 'op');
    if (typeof op === 'object' && op !== null) keep(subject, 'operationId', Reflect.get(op, 'id'));
  }
  subjects.set(error, subject);
}

function keep(subject: Record<string, string>, name: string, id: unknown): void {
  if (typeof id === 'string' && ID.test(id)) subject[name] = id;
}

/** Of which call an error is; nothing where that is not known. */
export function subjectOf(error: unknown): CallSubject {
  return (typeof error === 'object' && error !== null && subjects.get(error)) || {};
}
