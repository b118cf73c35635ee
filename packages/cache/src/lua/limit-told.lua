-- What threads have allowed by themselves: it is counted, whether it fits or not. See limit-rate.lua.
-- KEYS   the callers' numbers
-- ARGV   what the calls of each cost, in milliseconds
-- Output for each, in how many milliseconds the caller's allowance is full again
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local waits = {}
for i = 1, #KEYS do
  local full = math.max(tonumber(redis.call('GET', KEYS[i]) or 0), now) + tonumber(ARGV[i])
  redis.call('SET', KEYS[i], string.format('%.3f', full), 'PX', math.ceil(full - now))
  waits[i] = math.ceil(full - now)
end
return waits
