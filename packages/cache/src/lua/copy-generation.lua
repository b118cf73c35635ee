-- What a refill must still find when it is done: the generation of a copy. One that was lost gets a number that was never used.
-- KEYS   1 generation
-- ARGV   1 milliseconds that it is remembered
-- Output the generation
local known = redis.call('GET', KEYS[1])
if not known then
  local clock = redis.call('TIME')
  known = string.format('%d%06d', clock[1], clock[2])
end
redis.call('SET', KEYS[1], known, 'PX', ARGV[1])
return known
