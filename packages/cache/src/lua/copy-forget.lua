-- Forgets a copy, and what is being read for it at this moment.
-- KEYS   1 copy  2 generation
-- ARGV   1 milliseconds that the new generation is remembered
-- Output the new generation
local clock = redis.call('TIME')
local now = string.format('%d%06d', clock[1], clock[2])
-- Greater than the one before, also twice within a microsecond.
local known = redis.call('GET', KEYS[2])
if known and tonumber(known) >= tonumber(now) then now = string.format('%.0f', tonumber(known) + 1) end
redis.call('SET', KEYS[2], now, 'PX', ARGV[1])
redis.call('DEL', KEYS[1])
return now
