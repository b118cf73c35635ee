import type { Span } from './allowances.ts';

/** Cells that a span is counted in. More of them remember more exactly, and cost more memory. */
export const SPAN_CELLS = 60;

/**
 * One caller's calls in memory, counted exactly as `lua/limit-span.lua` does: no span holds more calls than it may, and a call may be
 * remembered for one cell too long.
 */
export class SpanCells {
  readonly #calls = new Map<number, number>();

  /** 0: allowed and counted. Otherwise how long until the same calls are allowed. */
  take({ spanMs, calls: most }: Span, now: number, wanted: number): number {
    const width = widthOf(spanMs);
    const newest = Math.floor(now / width);
    const oldest = newest - SPAN_CELLS;
    const leavesInMs = (cell: number) => Math.ceil((cell + SPAN_CELLS + 1) * width - now);
    let held = 0;
    for (const [cell, count] of this.#calls) {
      if (cell < oldest) this.#calls.delete(cell);
      else held += count;
    }
    if (held + wanted <= most) {
      this.#calls.set(newest, (this.#calls.get(newest) ?? 0) + wanted);
      return 0;
    }
    for (let cell = oldest; cell <= newest; cell++) {
      held -= this.#calls.get(cell) ?? 0;
      if (held + wanted <= most) return leavesInMs(cell);
    }
    return leavesInMs(newest);
  }
}

/** After how long a caller who does nothing more is forgotten. */
export function rememberedMs(spanMs: number): number {
  return (SPAN_CELLS + 1) * widthOf(spanMs);
}

function widthOf(spanMs: number): number {
  return Math.ceil(spanMs / SPAN_CELLS);
}
