-- What a channel's window still has of a user is cut off, up to the newest entry in Postgres that names him: a gap in the middle would
-- be read as the end of what there is. What Postgres does not have yet stays; of others' entries that name him it is only an id.
-- States of changed messages go the same way: Postgres is asked for them again.
-- KEYS   1 epoch  2 channel header  3 window  4 states
-- ARGV   1 user
-- Output entries that were cut off | 'missing': the header that says how far Postgres is must be loaded first
--        | 'waiting': an entry of his own is not in Postgres yet
local call, match = redis.call, string.match

local epoch = call('GET', KEYS[1])
local header = call('HMGET', KEYS[2], 's', 'p')
local loaded = epoch and match(header[1] or '', '^%d+') == epoch
local mark = loaded and tonumber(match(header[2], '^%d+'))
local function has(line, text) return string.find(line, text, 1, true) end

local waiting = false
local states = call('HGETALL', KEYS[4])
for i = 1, #states, 2 do
  if has(states[i + 1], ARGV[1]) then
    if not loaded then return 'missing' end
    local e, n = match(cjson.decode(states[i + 1]).place or '0-0', '^(%d+)%-(%d+)')
    if e == epoch and tonumber(n) > mark then waiting = true else call('HDEL', KEYS[4], states[i]) end
  end
end

local lines = call('XRANGE', KEYS[3], '-', '+')
for i = #lines, 1, -1 do
  local id, line = lines[i][1], lines[i][2][2]
  if has(line, ARGV[1]) then
    if not loaded then return 'missing' end
    local e, n = match(id, '^(%d+)%-(%d+)$')
    -- Of an older epoch everything is in Postgres: a header of this one is loaded only then.
    if tonumber(e) < tonumber(epoch) or (e == epoch and tonumber(n) <= mark) then
      local cut = call('XTRIM', KEYS[3], 'MINID', e .. '-' .. string.format('%d', n + 1))
      return waiting and 'waiting' or cut
    end
    waiting = waiting or has(line, 'senderId":"' .. ARGV[1]) or has(line, 'actorId":"' .. ARGV[1])
  end
end
return waiting and 'waiting' or 0
