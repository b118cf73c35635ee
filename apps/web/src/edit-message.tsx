import { BODY_MAX_BYTES, byteLength, isStorable } from '@parley/protocol';
import { type KeyboardEvent, useState } from 'react';

interface EditMessageProps {
  readonly body: string;
  readonly onSave: (body: string) => void;
  readonly onCancel: () => void;
}

/** Enter saves, Escape leaves it as it was. */
export function EditMessage({ body: before, onSave, onCancel }: EditMessageProps) {
  const [body, setBody] = useState(before);
  const canSave = body.trim() !== '' && byteLength(body) <= BODY_MAX_BYTES && isStorable(body);
  const save = () => {
    if (body === before) onCancel();
    else if (canSave) onSave(body);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onCancel();
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    save();
  };
  return (
    <form
      className="edit-message"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        aria-label="Edit the message"
        rows={1}
        value={body}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={onKeyDown}
        // The form opens by the user's own click on "Edit".
        // biome-ignore lint/a11y/noAutofocus: focus follows that click
        autoFocus
        data-testid="edit-body"
      />
      <div className="buttons">
        <button type="button" className="quiet" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={!canSave} data-testid="save-edit">
          Save
        </button>
      </div>
    </form>
  );
}
