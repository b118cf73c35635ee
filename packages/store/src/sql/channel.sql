with page as materialized (
  select m.*, 0 as active_at, false as count_unread from channel_members m where m.channel_id = $1 and m.user_id = $2
),
own as (select null::json as channels)
-- include channel-rows
