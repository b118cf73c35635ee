import type { DeliveryMark } from '@parley/client';

const WORDS: Record<DeliveryMark, string> = {
  pending: 'Sending',
  accepted: 'Sent',
  persisted: 'Sent and stored',
  failed: 'Not sent',
};

const SHAPES: Record<DeliveryMark, string> = {
  pending: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.2l2 1.3',
  accepted: 'm3.5 8.5 3 3 6-7',
  persisted: 'm1.5 8.5 3 3 6-7m-2.5 6.5.5.5 6-7',
  failed: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.5m0 2v.1',
};

/** How far an own message has come: clock, one tick, two ticks, or an exclamation mark. */
export function Mark({ mark }: { mark: DeliveryMark }) {
  return (
    <svg
      className="mark"
      viewBox="0 0 16 16"
      width="16"
      height="16"
      role="img"
      aria-label={WORDS[mark]}
      data-testid="mark"
      data-mark={mark}
    >
      <title>{WORDS[mark]}</title>
      <path d={SHAPES[mark]} />
    </svg>
  );
}
