with gone as (
  delete from channel_members where user_id = $1 returning channel_id
),
counted as (
  update channels c set member_count = c.member_count - 1, version = c.version + 1
  from gone
  where c.id = gone.channel_id
)
select count(*) as gone from gone
