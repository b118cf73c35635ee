import type { ShownMessage } from '@parley/client';
import { useReceipts } from '@parley/client/react';
import type { Member } from '@parley/protocol';

interface SeenLineProps {
  readonly message: ShownMessage;
  readonly members: readonly Member[];
}

/** Whether an own message has arrived at the others, and whether they have read it. */
export function SeenLine({ message, members }: SeenLineProps) {
  const { deliveredTo, readBy } = useReceipts(members, message);
  const others = members.length - 1;
  if (deliveredTo.length === 0 || others < 1) return null;
  const isRead = readBy.length > 0;
  const count = isRead ? readBy.length : deliveredTo.length;
  const words = isRead ? 'Read' : 'Delivered';
  return (
    <span className="seen" data-testid="seen" data-seen={isRead ? 'read' : 'delivered'}>
      {others === 1 || count === others ? words : `${words} by ${count}`}
    </span>
  );
}
