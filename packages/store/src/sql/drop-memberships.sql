-- The channels' members are counted anew: these rows were in no count that can be trusted.
with gone as (
  delete from channel_members where user_id = $1 returning channel_id
),
counted as (
  update channels c set
    member_count = (select count(*) from channel_members m where m.channel_id = c.id and m.user_id <> $1),
    version = c.version + 1
  from gone
  where c.id = gone.channel_id
)
select count(*) as gone from gone
