with gone as (
  delete from blocks where (user_id, blocked_id) = ($1, $2) returning 1
)
select exists (select from gone) as gone
