-- Of the row `message`: a column of its table is called `m`.
to_jsonb(message) || jsonb_build_object(
  'reactors', (
    select jsonb_object_agg(emoji, users)
    from (
      select emoji, jsonb_agg(user_id order by at, user_id) as users from reactions where message_id = message.id group by emoji
    ) reacted
  ),
  'reply_count', (select count(*) from messages reply where reply.thread_of = message.id and reply.deleted_at is null),
  'thread_count', case when message.thread_of is not null then (
    select count(*) from messages reply where reply.thread_of = message.thread_of and reply.deleted_at is null
  ) end
)
