import fc from 'fast-check';
import { expect, test } from 'vitest';
import { follow, settle } from './feed-reader.ts';
import { ANN, BOB, World } from './feed-world.ts';

type Step =
  | { readonly do: 'send'; readonly fate: 'arrives' | 'lost' | 'twice' }
  | { readonly do: 'persist'; readonly trimTo: number; readonly heard: boolean }
  | { readonly do: 'failOver'; readonly keepsWindow: boolean }
  | { readonly do: 'compare' | 'settle' | 'turn' | 'hold' | 'deliver' }
  | { readonly do: 'come'; readonly back: number; readonly node: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('send' as const), fate: fc.constantFrom('arrives', 'lost', 'twice') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('persist' as const), trimTo: fc.nat({ max: 4 }), heard: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failOver' as const), keepsWindow: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('compare' as const, 'settle', 'turn', 'hold', 'deliver') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('come' as const), back: fc.nat({ max: 6 }), node: fc.nat({ max: 1 }) }),
  },
);

async function run(steps: readonly Step[]): Promise<void> {
  const world = new World();
  const nodes = [world.node(), world.node()] as const;
  const sent: { body: string; position: string }[] = [];
  const followers: { reader: ReturnType<typeof follow>; from: number }[] = [];
  let lost: (line: string) => boolean = () => false;
  world.loses = (line) => lost(line);
  const come = (back: number, node: number) => {
    const from = Math.max(0, sent.length - back);
    const last = from === 0 ? '0-0' : sent[from - 1]?.position;
    const reader = follow(world, nodes[node === 0 ? 0 : 1], { userId: BOB, lastEventId: last as '0-0' });
    followers.push({ reader, from });
  };
  const act = async (now: Step): Promise<void> => {
    switch (now.do) {
      case 'send': {
        lost = () => now.fate === 'lost';
        world.doubles = () => now.fate === 'twice';
        world.load();
        const body = `${sent.length}`;
        sent.push({ body, position: world.send(body, ANN) });
        return;
      }
      case 'persist':
        lost = () => !now.heard;
        return world.persist({ trimTo: now.trimTo });
      case 'failOver':
        return world.failOver({ keepsWindow: now.keepsWindow });
      case 'compare':
        for (const { hub } of nodes) hub.suspect();
        return;
      case 'settle':
        return settle();
      case 'turn':
        return new Promise((resolve) => setImmediate(resolve));
      case 'hold':
        world.holdsBack = true;
        return;
      case 'deliver':
        return world.deliver();
      case 'come':
        return come(now.back, now.node);
    }
  };
  come(0, 0);
  for (const now of steps) await act(now);
  world.deliver();
  world.load();
  for (const { hub } of nodes) await hub.compare();
  for (const { reader, from } of followers) {
    const expected = sent.slice(from).map(({ body }) => body);
    await reader.until(() => reader.bodies().length >= expected.length, 5_000);
    expect(reader.bodies()).toEqual(expected);
    expect(reader.types()).not.toContain('resync');
    const ids = reader.events.filter(({ event }) => event.type === 'message.created').map(({ id }) => id);
    expect(ids).toEqual(sent.slice(from).map(({ position }) => position));
  }
  await settle();
  await Promise.all(followers.map(({ reader }) => reader.leave()));
  for (const { hub, topics } of nodes) {
    expect(hub.size).toEqual({ channels: 0, listeners: 0 });
    await settle();
    expect(topics.size).toBe(0);
    await hub.stop();
  }
}

test('[ORD-71] whatever is lost, doubled, held back, trimmed or renewed: every reader gets each message once, in order', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), run), { numRuns: 150 });
}, 60_000);
