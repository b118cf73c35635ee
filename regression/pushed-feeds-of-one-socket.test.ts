import { expect, test, vi } from 'vitest';
import { joinDoor, openDoor } from '../packages/transport/test/door.ts';

// Each was let in when there was room again, found that others waited, and waited again: nobody wrote any more.
test('[DOOR-12] several feeds that fill one socket all go on when there is room again', async () => {
  await using open = await openDoor();
  const peer = await joinDoor(open.url);
  const ids = [1, 2, 3];
  for (const id of ids) {
    peer.ws.send(JSON.stringify({ id, method: 'subscription', params: { path: 'pushed' } }));
  }
  const heardOf = (id: number) => peer.heard.filter((text) => text.startsWith(`{"id":${id},`)).length;
  await vi.waitFor(() => expect(Math.min(...ids.map(heardOf))).toBeGreaterThan(100), { timeout: 15_000 });
});
