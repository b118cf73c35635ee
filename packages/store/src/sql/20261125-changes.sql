alter table messages add column thread_of uuid;
update messages set thread_of = (extra ->> 'threadOf')::uuid, extra = nullif(extra - 'threadOf', '{}') where extra ? 'threadOf';
create index messages_thread_index on messages (thread_of, epoch, n) where thread_of is not null;
create index messages_deleted_index on messages (channel_id, epoch, n) where deleted_at is not null;

create table reactions (
  message_id uuid not null,
  user_id uuid not null,
  emoji text not null,
  channel_id uuid not null,
  at bigint not null,
  primary key (message_id, user_id, emoji)
);
create index reactions_user_index on reactions (user_id, channel_id);

create table mentions (
  channel_id uuid not null,
  user_id uuid not null,
  epoch bigint not null,
  n bigint not null,
  primary key (channel_id, user_id, epoch, n)
);
create index mentions_user_index on mentions (user_id);

create table invitations (
  channel_id uuid not null,
  user_id uuid not null,
  invited_by uuid not null,
  at bigint not null,
  primary key (channel_id, user_id),
  constraint invitations_channel_id_foreign foreign key (channel_id) references channels (id) on delete cascade,
  constraint invitations_user_id_foreign foreign key (user_id) references users (id) on delete cascade
);
create index invitations_user_index on invitations (user_id, at);
