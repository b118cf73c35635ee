import { type ChannelView, type FeedNotice, type LogLine, noticeFromLine } from '@parley/domain';
import { formatPosition } from '@parley/protocol';
import { Marks } from './marks.ts';
import { NoticeBoard } from './notice-board.ts';

const BOARD_NOTICES = 1_024;

/** Whether it may wait for company: a later one of its kind says the same and more. What takes something back may not. */
export function canWait({ type, event }: FeedNotice): boolean {
  return type === 'persisted' ? event.holes.length === 0 : type !== 'hole';
}

/** What is said about a channel beside its entries: how far it is persisted, which positions are holes, who read how far. */
export class ChannelNotices {
  readonly marks = new Marks();
  readonly board = new NoticeBoard(BOARD_NOTICES);

  /** Takes a published notice; null when the line is none. Throws when it cannot be read. */
  take(channelId: string, line: LogLine): FeedNotice | null {
    const notice = noticeFromLine(channelId, line);
    if (!notice) return null;
    if (notice.type === 'persisted') this.marks.rise(notice.place, notice.event.holes);
    if (notice.type === 'hole') this.marks.hole(notice.place);
    this.board.pin(notice);
    return notice;
  }

  /** Takes a view: `rose` when its mark was not told and is pinned now, `untold` when a hole at or below `tipN` was not told. */
  look(view: ChannelView, channelId: string, tipN: number): { rose: boolean; untold: boolean } {
    const news = this.marks.look(view, tipN);
    if (news.rose) this.#pinMark(channelId, view.head.at);
    return news;
  }

  #pinMark(channelId: string, at: number): void {
    const { epoch, n } = this.marks;
    const event = {
      type: 'message.persisted' as const,
      channelId,
      at,
      upTo: formatPosition({ epoch, n }),
      holes: this.marks.holes(),
    };
    this.board.pin({ type: 'persisted', key: 'P', place: { epoch, n, m: 0, at }, event });
  }
}
