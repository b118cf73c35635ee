/**
 * Who is connected at this moment. A hint: somebody whose connection was lost may be named for a while, and somebody who has just
 * come may not be yet. Who is wrongly taken for offline is told what his feeds tell him too; nothing is lost either way.
 */
export interface PresenceReader {
  /** Those of the users who are online. One round trip, whatever their number. */
  online(userIds: readonly string[]): Promise<Set<string>>;
}
