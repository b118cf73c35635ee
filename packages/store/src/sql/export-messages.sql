-- What the user said in one channel after a position, wherever he may have left it since.
select to_jsonb(m) as row
from messages m
where m.channel_id = $1 and m.sender_id = $2 and (m.epoch, m.n) > ($3, $4)
order by m.epoch, m.n
limit $5
