-- What the user said in one channel after a position, wherever he may have left it since. `messages` has a column `m`.
select to_jsonb(said) as row
from messages said
where channel_id = $1 and sender_id = $2 and (epoch, n) > ($3, $4)
order by epoch, n
limit $5
