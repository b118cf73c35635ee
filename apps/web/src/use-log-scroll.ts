import type { ShownMessage } from '@parley/client';
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

const NEAR_BOTTOM_PX = 60;
const NEAR_TOP_PX = 240;

interface LogScroll {
  readonly onScroll: () => void;
  readonly isAtBottom: boolean;
}

/**
 * Stays at the newest message while the reader is there, keeps the place when older ones are put in front, and asks for those when the
 * reader comes near the top.
 */
export function useLogScroll(
  log: RefObject<HTMLElement | null>,
  messages: readonly ShownMessage[],
  onNearTop: () => void,
): LogScroll {
  const [isAtBottom, setIsAtBottom] = useState(true);
  const before = useRef({ firstKey: '', lastKey: '', height: 0, isAtBottom: true });
  const firstKey = messages[0]?.key ?? '';
  const last = messages.at(-1);
  const lastKey = last?.key ?? '';
  const isLastOwn = last?.isOwn === true;

  useLayoutEffect(() => {
    const element = log.current;
    if (!element) return;
    const was = before.current;
    const isNewOwn = isLastOwn && was.lastKey !== lastKey;
    if (was.isAtBottom || isNewOwn) element.scrollTop = element.scrollHeight;
    else if (was.firstKey !== firstKey) element.scrollTop += element.scrollHeight - was.height;
    before.current = { ...was, firstKey, lastKey, height: element.scrollHeight };
  });

  useEffect(() => {
    const element = log.current;
    if (!element) return;
    // The composer grows, the window shrinks, a phone opens its keyboard: the newest message stays in sight.
    const observer = new ResizeObserver(() => {
      if (before.current.isAtBottom) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [log]);

  const onScroll = useCallback(() => {
    const element = log.current;
    if (!element) return;
    const isNow = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_BOTTOM_PX;
    before.current.isAtBottom = isNow;
    setIsAtBottom(isNow);
    if (element.scrollTop < NEAR_TOP_PX) onNearTop();
  }, [log, onNearTop]);

  return { onScroll, isAtBottom };
}
