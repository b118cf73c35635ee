import { Failure } from '@parley/domain';
import type { CasePath, Cases } from '../context.ts';

/** Procedures of the contract that are still to be written. */
export function notThereYet<K extends CasePath>(...paths: K[]): Pick<Cases, K> {
  const refuse = () => Promise.reject(new Failure('UNAVAILABLE', 'not there yet'));
  return Object.fromEntries(paths.map((path) => [path, refuse])) as unknown as Pick<Cases, K>;
}
