-- Up to here retention has removed a channel's history.
alter table channel_head add column removed_epoch bigint not null default 0;
alter table channel_head add column removed_n bigint not null default 0;

-- When Postgres took a message, beside when the log did. Old rows have none.
alter table messages add column persisted_at bigint;
alter table messages alter column persisted_at set default (extract(epoch from clock_timestamp()) * 1000)::bigint;

-- Days are found by it, at next to no cost for an insert.
create index messages_sent_index on messages using brin (sent_at) with (autosummarize = on);
-- Only messages of which something is left after their deletion: it is empty most of the time.
create index messages_unblanked_index on messages (deleted_at)
  where deleted_at is not null and (body <> '' or extra ?| '{attachmentIds,attachments,mentions,encrypted}');

create table push_subscriptions (
  id uuid not null primary key,
  user_id uuid not null,
  endpoint text not null,
  p256dh text not null,
  auth text not null,
  expires_at bigint,
  created_at bigint not null,
  constraint push_subscriptions_endpoint_unique unique (endpoint),
  constraint push_subscriptions_user_id_foreign foreign key (user_id) references users (id) on delete cascade
);
create index push_subscriptions_user_index on push_subscriptions (user_id, created_at);

create table offline_notices (
  user_id uuid not null,
  outlet text not null,
  channel_id uuid not null,
  told_epoch bigint not null,
  told_n bigint not null,
  told_at bigint not null default 0,
  asked_epoch bigint,
  asked_n bigint,
  asked_until bigint not null default 0,
  primary key (user_id, outlet, channel_id),
  constraint offline_notices_user_id_foreign foreign key (user_id) references users (id) on delete cascade
);

create table analytics_channel_day (
  day date not null,
  channel_id uuid not null,
  messages int not null,
  active_users int not null,
  persist_ms_average double precision,
  persist_ms_p95 double precision,
  primary key (day, channel_id)
);
create index analytics_channel_day_channel_index on analytics_channel_day (channel_id, day);

create table analytics_day (
  day date not null primary key,
  messages int not null,
  active_users int not null,
  active_channels int not null,
  persist_ms_average double precision,
  persist_ms_p50 double precision,
  persist_ms_p95 double precision,
  persist_ms_p99 double precision
);
