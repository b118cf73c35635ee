insert into announcements (id, text, at)
values ($1, $2, (extract(epoch from clock_timestamp()) * 1000)::bigint)
returning id, text, at
