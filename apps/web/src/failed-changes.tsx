import type { OutboxItem } from '@parley/client';
import { refusalWords } from './refusal-words.ts';

const WHAT: Record<OutboxItem['operation']['kind'], string> = {
  send: 'Not sent.',
  'message.edit': 'The edit was not saved.',
  'message.delete': 'The message was not deleted.',
  'reaction.add': 'The reaction was not added.',
  'reaction.remove': 'The reaction was not taken back.',
  'member.add': 'Nobody was added.',
  'member.remove': 'Nobody was removed.',
  'member.setRole': 'The role was not changed.',
  'member.silence': 'Nobody was silenced.',
  'channel.update': 'The channel was not changed.',
  'channel.archive': 'The channel was not archived.',
  'channel.join': 'You did not join.',
  'channel.leave': 'You did not leave.',
  'channel.invite': 'Nobody was invited.',
};

interface FailedChangesProps {
  readonly failed: readonly OutboxItem[];
  readonly onRetry: (operationId: string) => void;
  readonly onDiscard: (operationId: string) => void;
}

/** Changes that the server refused: what they changed is shown as it was, and here is why. */
export function FailedChanges({ failed, onRetry, onDiscard }: FailedChangesProps) {
  return failed.map((item) => (
    <p key={item.id} className="failed failed-change" role="alert" data-testid="failed-change">
      {WHAT[item.operation.kind]} {refusalWords(item.refusal)}{' '}
      <button type="button" className="link" onClick={() => onRetry(item.id)}>
        Try again
      </button>{' '}
      <button type="button" className="link" onClick={() => onDiscard(item.id)} data-testid="dismiss">
        Dismiss
      </button>
    </p>
  ));
}
