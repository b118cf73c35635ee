-- What was never finished, and what was finished on another Postgres than this one: a restored one may have it all again.
select *
from (
  select
    -- include erasure-columns
  from erasures e
) e
where completed_at is null
order by asked_at, user_id
