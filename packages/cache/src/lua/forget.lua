#!lua flags=allow-oom
-- A quiet channel leaves the log store: only when Postgres has all of it, cursors included. It frees memory, so it runs where none is left.
-- KEYS   1 channel header  2 cursors that were not flushed yet  3 register of loaded headers  4… what goes with the header: the window
-- ARGV   1 channel id  2 the newest position that Postgres has, or ''  3 the head must not be younger than this
-- Output 'forgotten' | 'absent' | 'moved' | 'unflushed'
local call, match = redis.call, string.match

local header = call('HMGET', KEYS[1], 's', 'b')
if not header[1] then
  call('ZREM', KEYS[3], ARGV[1])
  return 'absent'
end
local position, at = match(header[1], '^(%d+%-%d+) %d+ (%d+)$')
-- Nothing happened in this epoch yet: the newest position is an older one's.
if match(position, '%-0$') then position = header[2] or '' end
if position ~= ARGV[2] or tonumber(at) > tonumber(ARGV[3]) then return 'moved' end
-- Hardly ever is a cursor waiting at all: then there is nothing to look for.
if call('HLEN', KEYS[2]) > 0 then
  for _, field in ipairs(call('HKEYS', KEYS[1])) do
    local user = match(field, '^r:(.+)$')
    if user and call('HEXISTS', KEYS[2], ARGV[1] .. ' ' .. user) == 1 then return 'unflushed' end
  end
end
call('DEL', KEYS[1], unpack(KEYS, 4))
call('ZREM', KEYS[3], ARGV[1])
return 'forgotten'
