import { CALL_SCENES } from './calls.scenes.ts';
import { CONTEXT_SCENES } from './contexts.scenes.ts';
import { FEED_SCENES } from './feeds.scenes.ts';
import { FRAME_SCENES } from './frames.scenes.ts';
import { OPTION_SCENES } from './options.scenes.ts';
import type { Scene } from './player.ts';

/** Scenes that need no clock, by what they are about. */
export const SCENES: Record<string, readonly Scene[]> = {
  calls: CALL_SCENES,
  feeds: FEED_SCENES,
  frames: FRAME_SCENES,
  contexts: CONTEXT_SCENES,
  options: OPTION_SCENES,
};
