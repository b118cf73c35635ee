-- Forgets the answer to an operation that Postgres does not know, unless it is another answer by now.
-- KEYS   1 answer given to the operation
-- ARGV   1 the position that was answered
-- Output 1 when it is forgotten, else 0
local answer = redis.call('GET', KEYS[1])
if not answer or string.match(answer, ' (%d+%-%d+) ') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
