-- The channel goes, with its members; its id stays for ever. A channel that is gone already counts as there was one.
with gone as (
  delete from channels where id = $1 returning id
),
buried as (
  insert into deleted_channels (id, deleted_at)
  select id, (extract(epoch from clock_timestamp()) * 1000)::bigint from gone
  on conflict (id) do nothing
)
select exists (select from gone) or exists (select from deleted_channels where id = $1) as known
