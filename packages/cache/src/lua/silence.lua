-- A member's sends are refused until a time, without an entry: Postgres says the same whenever the header is loaded.
-- KEYS   1 epoch  2 channel header
-- ARGV   1 member  2 until, epoch milliseconds; 0: not any more
-- Output 'done' | 'missing': no header of this epoch | 'stranger'
local epoch = redis.call('GET', KEYS[1])
local header = redis.call('HMGET', KEYS[2], 's', ARGV[1])
if not epoch or string.match(header[1] or '', '^%d+') ~= epoch then return 'missing' end
if not header[2] then return 'stranger' end
local rank = string.sub(header[2], 1, 1)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] == '0' and rank or rank .. ARGV[2])
return 'done'
