import type { PresenceReader } from '@parley/domain';

/** Takes everybody for offline: where presence is not kept, whom his feeds have told already is told once more. */
export const nobodyOnline: PresenceReader = { online: async () => new Set() };
