-- Users whose time has been dealt with are no longer waiting, unless they were seen again.
-- KEYS   1 users by when they were seen last
-- ARGV   pairs: user, the time that was dealt with
-- Output the number of users that are no longer waiting
local done = 0
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then done = done + redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return done
