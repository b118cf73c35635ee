import { expect, it } from 'vitest';
import { Sightings } from '../src/trace/sightings.ts';
import { createTraceDesk } from '../src/trace/trace-desk.ts';

const place = (n: number) => ({ epoch: 7, n });

it('[OPS-22] a thread remembers the newest entries, in bounded memory, and no notice', () => {
  const sightings = new Sightings(3);
  sightings.seen('a', 'accepted', place(1));
  sightings.heard('a', '1 c 7-1 1 1000 {"body":"x"}');
  sightings.heard('a', '1 R 7-1 1 1000 {}');
  sightings.heard('b', '1 e 7-1 1 1000 {}');
  expect(sightings.of('a', '7-1').map(({ what }) => what)).toEqual(['accepted', 'fanned out']);
  expect(sightings.of('b', '7-1').map(({ what }) => what)).toEqual(['fanned out']);
  for (let n = 2; n <= 4; n++) sightings.heard('a', `1 c 7-${n} ${n} 1000 {}`);
  expect(sightings.of('a', '7-1')).toEqual([]);
  expect(sightings.of('a', '7-4')).toHaveLength(1);
});

it('[OPS-22] a question is answered on its own topic only, garbage on none, and other hints are handed on', async () => {
  const told: string[] = [];
  const handedOn: string[] = [];
  const desk = createTraceDesk({
    node: 'n',
    replyPrefix: 'parley:trace:',
    publish: async (topic) => told.push(topic),
    log: { debug: () => undefined },
  });
  const nothing = () => undefined;
  const events = desk.onEvents({
    channel: nothing,
    user: nothing,
    suspect: nothing,
    everybody: (json) => handedOn.push(json),
  });
  const ask = (replyTo: string) =>
    events.everybody(JSON.stringify({ type: 'trace', channelId: 'a', position: '7-1', replyTo }));
  ask('parley:trace:1');
  ask('parley:everybody');
  events.everybody('{"type":"trace","channelId":');
  events.everybody('{"type":"announcement"}');
  await Promise.resolve();
  expect(told).toEqual(['parley:trace:1']);
  expect(handedOn).toEqual(['{"type":"trace","channelId":', '{"type":"announcement"}']);
});
