-- GCRA: one number says when the caller's allowance is full again. Time is the store's own.
-- KEYS   1 the caller's number
-- ARGV   1 milliseconds that one call costs  2 burst: calls that a full allowance holds  3 calls that are wanted
-- Output milliseconds until the same calls are allowed; 0: they were allowed, and are counted
local cost, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + cost * wanted
local wait = full - burst * cost - now
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now))
return 0
