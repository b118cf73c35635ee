-- Cursors that Postgres has now are no longer waiting, unless they have moved again.
-- KEYS   1 cursors that were not flushed yet
-- ARGV   pairs: field, the value that was flushed
-- Output the number of cursors that are no longer waiting
local done = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then done = done + redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return done
