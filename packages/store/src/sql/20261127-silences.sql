create table silences (
  channel_id uuid not null,
  user_id uuid not null,
  until bigint not null,
  primary key (channel_id, user_id),
  constraint silences_channel_id_foreign foreign key (channel_id) references channels (id) on delete cascade,
  constraint silences_user_id_foreign foreign key (user_id) references users (id) on delete cascade
);
create index silences_user_index on silences (user_id);

-- Of those who were added while they were invited.
delete from invitations i
using channel_members cm
where (cm.channel_id, cm.user_id) = (i.channel_id, i.user_id);
