-- Keeps what was read, unless the copy was forgotten since the reading began.
-- KEYS   1 copy  2 generation
-- ARGV   1 the generation before the reading  2 the copy  3 milliseconds that it is kept
-- Output 1 when it is kept, else 0
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
