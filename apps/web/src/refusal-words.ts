import type { Refusal } from '@parley/client';

const WHY: Partial<Record<Refusal['code'], string>> = {
  FORBIDDEN: 'You may not do that here.',
  NOT_FOUND: 'It is not there any more.',
  TOO_LARGE: 'It is too long.',
  SILENCED: 'You are silenced here.',
  CHANNEL_FULL: 'The channel is full.',
};

/** Why something was refused, for its user. */
export function refusalWords(refusal: Refusal | null): string {
  return refusal?.reason ?? WHY[refusal?.code ?? 'INVALID'] ?? 'The server refused it.';
}
