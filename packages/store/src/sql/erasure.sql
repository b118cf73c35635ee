select
  -- include erasure-columns
from erasures e
where e.user_id = $1
