import type { Announcement } from '@parley/client';

interface AnnouncementsProps {
  readonly announcements: readonly Announcement[];
  readonly onDismiss: (announcementId: string) => void;
}

/** What the operators tell everybody. */
export function Announcements({ announcements, onDismiss }: AnnouncementsProps) {
  return announcements.map(({ announcementId, text }) => (
    <p key={announcementId} className="announcement" role="status" data-testid="announcement">
      {text}{' '}
      <button type="button" className="link" onClick={() => onDismiss(announcementId)}>
        Dismiss
      </button>
    </p>
  ));
}
