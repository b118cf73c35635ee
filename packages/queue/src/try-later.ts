/** A job throws it when it cannot be done yet, through no fault of its own: it runs again after this time, and the try does not count. */
export class TryLater extends Error {
  override readonly name = 'TryLater';
  readonly afterMs: number;

  constructor(afterMs: number, why: string) {
    super(why);
    this.afterMs = afterMs;
  }
}

/** A job throws it when no other try can do better: it is a dead letter at once. */
export class Hopeless extends Error {
  override readonly name = 'Hopeless';
}
