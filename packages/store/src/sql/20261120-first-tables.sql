-- In `public`, where deployments that share the database all find it.
create extension if not exists pg_trgm with schema public;

-- Only for looking at costs: not every user may create it, not every server has it.
do $$
begin
  create extension if not exists pg_stat_statements with schema public;
exception when insufficient_privilege or undefined_file or feature_not_supported then
  raise notice 'pg_stat_statements is not available: %', sqlerrm;
end
$$;

create table users (
  id uuid not null primary key,
  name text not null,
  avatar_url text,
  email text,
  locale text,
  status_text text,
  claims_hash text not null,
  created_at bigint not null,
  last_seen_at bigint
);

create table channels (
  id uuid not null primary key,
  kind text not null,
  name text,
  topic text,
  avatar_url text,
  encrypted boolean not null default false,
  member_count int not null default 0,
  member_limit int not null,
  version bigint not null default 1,
  created_at bigint not null,
  archived_at bigint,
  constraint channels_kind_check check (kind in ('direct', 'group', 'support', 'public')),
  constraint channels_member_limit_check check (member_count <= member_limit)
);

create table channel_members (
  channel_id uuid not null,
  user_id uuid not null,
  rank smallint not null,
  joined_at bigint not null,
  read_epoch bigint not null default 0,
  read_n bigint not null default 0,
  read_at bigint not null default 0,
  delivered_epoch bigint not null default 0,
  delivered_n bigint not null default 0,
  delivered_at bigint not null default 0,
  muted_until bigint,
  silenced_until bigint not null default 0,
  primary key (channel_id, user_id),
  constraint channel_members_channel_id_foreign foreign key (channel_id) references channels (id) on delete cascade,
  constraint channel_members_user_id_foreign foreign key (user_id) references users (id) on delete cascade,
  constraint channel_members_rank_check check (rank >= 1 and rank <= 5)
);
create index channel_members_user_index on channel_members (user_id, channel_id);
create index channel_members_user_read_index on channel_members (user_id, read_at desc);
create index channel_members_joined_index on channel_members (channel_id, joined_at, user_id);

create table messages (
  channel_id uuid not null,
  epoch bigint not null,
  n bigint not null,
  m bigint not null,
  id uuid not null,
  sender_id uuid not null,
  client_msg_id uuid not null,
  body text not null,
  extra jsonb,
  sent_at bigint not null,
  edited_at bigint,
  deleted_at bigint,
  primary key (channel_id, epoch, n),
  constraint messages_id_unique unique (id),
  constraint messages_client_msg_unique unique (channel_id, sender_id, client_msg_id)
);
create index messages_sender_index on messages (channel_id, sender_id, epoch desc, n desc);
create index messages_body_trgm_index on messages using gin (body gin_trgm_ops);

create table log_partition (
  partition smallint not null primary key,
  epoch bigint not null default 0,
  read_epoch bigint not null default 0,
  read_k bigint not null default 0,
  run_id text,
  replication_id text,
  pg_system text,
  pg_timeline bigint,
  opened_at bigint
);
insert into log_partition (partition) select generate_series(0, 63);

create table channel_head (
  channel_id uuid not null primary key,
  epoch bigint not null,
  n bigint not null,
  m bigint not null,
  at bigint not null
);
create index channel_head_at_index on channel_head (at);

create table log_change (
  channel_id uuid not null,
  epoch bigint not null,
  n bigint not null,
  kind text not null,
  target uuid,
  actor_id uuid,
  operation_id uuid,
  by_epoch bigint,
  by_n bigint,
  at bigint not null,
  primary key (channel_id, epoch, n)
);
create index log_change_operation_index on log_change (channel_id, operation_id);

create table dead_letter (
  partition smallint not null,
  epoch bigint not null,
  k bigint not null,
  channel_id uuid,
  channel_epoch bigint,
  channel_n bigint,
  sender_id uuid,
  client_msg_id uuid,
  line bytea not null,
  reason text not null,
  at bigint not null,
  primary key (partition, epoch, k)
);
create index dead_letter_operation_index on dead_letter (channel_id, sender_id, client_msg_id);
