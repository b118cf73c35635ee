// The crowd's process: it holds the clients of all systems under test, and does what the bench orders over IPC.
import { Group } from './group.ts';
import type { Answer, Order } from './orders.ts';

const groups = new Map<string, Group>();

function named(name: string): Group {
  const group = groups.get(name);
  if (!group) throw new Error(`there is no group ${name}`);
  return group;
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'open': {
      const group = new Group(order.group);
      groups.set(order.group.name, group);
      return await group.open();
    }
    case 'run':
      return await named(order.run.group).run(order.run);
    case 'storm':
      return await named(order.group).storm(order);
    case 'close':
      named(order.group).close();
      return groups.delete(order.group);
  }
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  obey(order).then(
    (value) => answer({ id, value: value ?? null }),
    (error: unknown) => answer({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
// The bench is gone, however it ended.
process.on('disconnect', () => process.exit(0));

function answer(message: Answer): void {
  process.send?.(message);
}
