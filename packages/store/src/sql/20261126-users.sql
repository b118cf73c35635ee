-- What a user says of himself goes before what his token claims, until the claim changes: so the claim is remembered.
alter table users
  add column claimed_name text,
  add column claimed_avatar_url text,
  add column notify jsonb;
update users set claimed_name = name, claimed_avatar_url = avatar_url;
create index users_name_trgm_index on users using gin (name gin_trgm_ops);
create index users_created_index on users (created_at, id);
create index channels_created_index on channels (created_at, id);

create table blocks (
  user_id uuid not null,
  blocked_id uuid not null,
  at bigint not null,
  primary key (user_id, blocked_id)
);
create index blocks_blocked_index on blocks (blocked_id);

-- Only users of whom there is something to say have a row: the table is small, and asked about every live user.
create table user_standing (
  user_id uuid not null primary key,
  disabled_at bigint,
  revoked_at bigint,
  erased_at bigint
);

create table revoked_sessions (
  user_id uuid not null,
  sid text not null,
  at bigint not null,
  primary key (user_id, sid)
);

create table announcements (
  id uuid not null primary key,
  text text not null,
  at bigint not null
);
create index announcements_at_index on announcements (at, id);

create table audit (
  id bigserial primary key,
  at bigint not null,
  call_id uuid not null,
  actor text not null,
  address text not null,
  action text not null,
  target text,
  outcome text
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are only ever added', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function refuse_change();

-- A channel that was deleted never comes back: its id is kept, so that no position of it is given again.
create table deleted_channels (
  id uuid not null primary key,
  deleted_at bigint not null,
  removed_at bigint
);

-- What was erased, and on which Postgres it was last done: another one was restored, and may have it all again.
create table erasures (
  user_id uuid not null primary key,
  asked_at bigint not null,
  completed_at bigint,
  pg_system text,
  pg_timeline bigint,
  after_channel uuid,
  erased jsonb
);
