-- A channel is deleted, and Postgres has forgotten it: its header keeps no member, so that nobody writes, and no stale copy of the
-- channel is loaded in its place. The deletion takes an n, by which a node that heard nothing of it notices. Nothing can be appended
-- any more, so unlike other headers this one may have an end.
-- KEYS   1 epoch  2 channel header  3 window  4 states
-- ARGV   1 how long the header stays, seconds
-- Output 'buried' | 'epoch': nobody has opened one
local call, match = redis.call, string.match

local epoch = call('GET', KEYS[1])
if not epoch then return 'epoch' end
local header = call('HMGET', KEYS[2], 's', 'p', 'v', 'c')
local e, n, m, at = match(header[1] or '', '^(%d+)-(%d+) (%d+) (%d+)$')
local mark, version = header[2], tonumber(header[3] or '0') + 1
if e ~= epoch then n, m, at, mark = 0, 0, 0, '0 0' end
if e ~= epoch or header[4] ~= '0' then n = n + 1 end
call('DEL', KEYS[2], KEYS[3], KEYS[4])
call('HSET', KEYS[2], 's', epoch .. '-' .. string.format('%d', n) .. ' ' .. m .. ' ' .. at, 'p', mark, 'v', version, 'c', 0, 'l', 0)
call('EXPIRE', KEYS[2], ARGV[1])
return 'buried'
