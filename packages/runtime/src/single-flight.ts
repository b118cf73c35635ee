/** Makes calls with the same key share the one that is under way. A failure is shared too, and forgotten like an answer. */
export function singleFlight<K, V>(work: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const underWay = new Map<K, Promise<V>>();
  return (key) => {
    const present = underWay.get(key);
    if (present) return present;
    // The inner function turns a synchronous throw into a rejection, so that no key is left behind.
    const flight = (async () => work(key))().finally(() => underWay.delete(key));
    underWay.set(key, flight);
    return flight;
  };
}
