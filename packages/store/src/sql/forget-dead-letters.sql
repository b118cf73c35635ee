-- Hardly ever is there any, so they have no index by their time.
with old as (
  select partition, epoch, k from dead_letter where at < $1 limit $2
),
gone as (
  delete from dead_letter d
  using old
  where (d.partition, d.epoch, d.k) = (old.partition, old.epoch, old.k)
  returning d.k
)
select count(*) as count from gone
