import type { Beat } from '../../load-tests/virtual-users/pulse.ts';
import { percentileOf } from './recording.ts';
import type { Phase } from './scenario.ts';

const SECONDS = 5;

/** One line about the last seconds of a run. */
export function progressOf(beats: readonly Beat[], phases: readonly Phase[]): string {
  const last = beats.slice(-SECONDS);
  const perSecond = (of: (beat: Beat) => number) =>
    Math.round(last.reduce((all, beat) => all + of(beat), 0) / last.length);
  const p = (percent: number) =>
    percentileOf(
      last.map(({ deliveryMs }) => deliveryMs),
      percent,
    );
  const loop = Math.max(...last.map(({ loopP99Ms }) => loopP99Ms));
  const parts = [
    `${String(beats.length).padStart(4)} s ${phaseAt(beats.length, phases)}`,
    `${last.at(-1)?.connections ?? 0} connections`,
    `${perSecond(({ sends }) => sends)} sends/s`,
    `${perSecond(({ deliveries }) => deliveries)} deliveries/s`,
    `to delivery p95 ${text(p(95))} p99 ${text(p(99))}`,
    `${last.reduce((all, { errors }) => all + errors, 0)} errors`,
    `generator ${loop.toFixed(0)} ms late`,
  ];
  return parts.join(' · ');
}

function phaseAt(second: number, phases: readonly Phase[]): string {
  let end = 0;
  for (const { name, duration, pause } of phases) {
    end += duration ?? pause ?? 0;
    if (second <= end) return name;
  }
  return 'the last leave';
}

const text = (ms: number | null): string => (ms === null ? '–' : `${ms.toFixed(0)} ms`);
