create table attachments (
  id uuid not null primary key,
  channel_id uuid not null,
  uploader_id uuid not null,
  file_name text not null,
  content_type text not null,
  byte_size bigint not null,
  storage_key text not null,
  state text not null default 'pending',
  message_id uuid,
  created_at bigint not null,
  ready_at bigint,
  used_at bigint,
  constraint attachments_state_check check (state in ('pending', 'ready', 'deleted'))
);
-- The order in which the clean-up walks them.
create index attachments_created_index on attachments (created_at, id);
