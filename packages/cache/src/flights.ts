/** Loads under way on this thread: whoever needs what somebody loads already waits for him. */
export class Flights<V> {
  readonly #underWay = new Map<string, Promise<V | undefined>>();

  /**
   * One load for those of the names that nobody loads yet; `alone` are loaded whoever loads them. Gives what there is, by key. A failure
   * is shared, and forgotten like an answer. That nothing was found is not shared: a load sees what its own caller may see.
   */
  async join(
    wanted: readonly { readonly key: string; readonly flight: string; readonly alone: boolean }[],
    load: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
  ): Promise<[key: string, value: V][]> {
    const [ours, theirs] = [
      wanted.filter(({ flight, alone }) => alone || !this.#underWay.has(flight)),
      wanted.filter(({ flight, alone }) => !alone && this.#underWay.has(flight)),
    ];
    const joined = theirs.map(async ({ key, flight }) => [key, await this.#underWay.get(flight)] as const);
    const loading = ours.length > 0 ? load(ours.map(({ key }) => key)) : Promise.resolve(new Map<string, V>());
    for (const { key, flight } of ours)
      this.#announce(
        flight,
        loading.then((loaded) => loaded.get(key)),
      );
    const [loaded, shared] = await Promise.all([loading, Promise.all(joined)]);
    const found = shared.flatMap(([key, value]): [string, V][] => (value === undefined ? [] : [[key, value]]));
    const unfound = shared.flatMap(([key, value]) => (value === undefined ? [key] : []));
    return [...loaded, ...found, ...(unfound.length > 0 ? await load(unfound) : [])];
  }

  #announce(flight: string, value: Promise<V | undefined>): void {
    this.#underWay.set(flight, value);
    const land = () => {
      if (this.#underWay.get(flight) === value) this.#underWay.delete(flight);
    };
    value.then(land, land);
  }
}
