-- Somebody types in a channel, or stops. It is published when it is news: not again within a while, unless he wrote in between.
-- KEYS   1 when he was last said to type here, and the place then: `when place`  2 the channel's pub/sub channel
-- ARGV   1 1 types, 0 does not  2 milliseconds that it holds  3 milliseconds within which it is not repeated
--        4 the place up to which he had read, so what he had written  5 what is published
-- Output milliseconds that it holds; 0: he does not type
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local when, place = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.*)$')
if ARGV[1] == '0' then
  if when then
    redis.call('DEL', KEYS[1])
    redis.call('PUBLISH', KEYS[2], ARGV[5])
  end
  return 0
end
local hold = tonumber(ARGV[2])
if when and place == ARGV[4] and now - when < tonumber(ARGV[3]) then return math.max(1, when + hold - now) end
redis.call('SET', KEYS[1], string.format('%d', now) .. ' ' .. ARGV[4], 'PX', hold)
redis.call('PUBLISH', KEYS[2], ARGV[5])
return hold
