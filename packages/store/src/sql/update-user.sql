-- Changes what the patch names, and nothing else.
update users set
  name = coalesce($2::jsonb ->> 'name', name),
  avatar_url = case when $2::jsonb ? 'avatarUrl' then $2::jsonb ->> 'avatarUrl' else avatar_url end,
  status_text = case when $2::jsonb ? 'statusText' then $2::jsonb ->> 'statusText' else status_text end,
  notify = case when $2::jsonb ? 'notify' then coalesce(notify, '{}') || ($2::jsonb -> 'notify') else notify end
where id = $1
  and not exists (select from user_standing s where s.user_id = id and s.erased_at is not null)
returning id, name, avatar_url, status_text, last_seen_at
