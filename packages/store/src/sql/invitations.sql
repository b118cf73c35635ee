select to_jsonb(c) as channel, i.invited_by, i.at
from invitations i
join channels c on c.id = i.channel_id
where i.user_id = $1 and c.archived_at is null
order by i.at desc
limit 100
