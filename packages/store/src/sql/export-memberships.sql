select to_jsonb(m) || jsonb_build_object('channel', to_jsonb(c)) as row
from channel_members m
join channels c on c.id = m.channel_id
where m.user_id = $1 and ($2::uuid is null or m.channel_id > $2)
order by m.channel_id
limit $3
