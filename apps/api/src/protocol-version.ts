import { Failure } from '@parley/domain';
import { PROTOCOL_VERSION } from '@parley/protocol';

/** The last version that still works. */
const OLDEST = Math.max(1, PROTOCOL_VERSION - 1);

/** Refuses a client that names a version which is not spoken here. One that names none is taken to speak this one. */
export function checkProtocol(named: unknown): void {
  if (named === undefined || named === null || named === '') return;
  const version = typeof named === 'number' ? named : Number(String(named));
  if (Number.isInteger(version) && version >= OLDEST && version <= PROTOCOL_VERSION) return;
  throw new Failure('PROTOCOL', `this server speaks protocol ${OLDEST} to ${PROTOCOL_VERSION}`);
}
