import type { ChannelView } from './ports/channel-view.ts';

/** Where Postgres stood when it was read: the epoch of its log, and the channel's version in the same snapshot. */
export interface AsOf {
  readonly epoch: number;
  readonly version: number;
}

type Versioned = Pick<ChannelView, 'epoch' | 'version'>;
type Headed = Pick<ChannelView, 'epoch' | 'headPosition'>;

/** Names a channel's state: another member, role, name or topic is another key. A version says nothing outside its epoch. */
export function versionKey(channelId: string, { epoch, version }: Versioned): string {
  return `${channelId}:${epoch}:${version}`;
}

/** Names everything that was said and done in a channel: another entry is another key. */
export function headKey(channelId: string, { epoch, headPosition }: Headed): string {
  return `${channelId}:${epoch}:${headPosition ?? 'none'}`;
}

/** Whether what was read from Postgres is the state that the view names: neither older (not persisted yet) nor newer. */
export function isAsOf(asOf: AsOf | null, view: Versioned): boolean {
  return asOf !== null && asOf.epoch === view.epoch && asOf.version === view.version;
}
