-- What a channel's window still has of a user is cut off, up to the newest entry that names him: a gap in the middle would be read as
-- the end of what there is. What Postgres does not have yet stays.
-- KEYS   1 epoch  2 channel header  3 window
-- ARGV   1 user
-- Output entries that were cut off | 'missing': the header that says how far Postgres is must be loaded first
--        | 'waiting': the newest entry that names him is not in Postgres yet
local call, match = redis.call, string.match

local lines, newest = call('XRANGE', KEYS[3], '-', '+'), nil
for i = #lines, 1, -1 do
  if string.find(lines[i][2][2], ARGV[1], 1, true) then
    newest = lines[i][1]
    break
  end
end
if not newest then return 0 end
local header = call('HMGET', KEYS[2], 's', 'p')
local epoch = call('GET', KEYS[1])
if not epoch or match(header[1] or '', '^%d+') ~= epoch then return 'missing' end
local e, n = match(newest, '^(%d+)%-(%d+)$')
local mark = tonumber(match(header[2], '^%d+'))
-- Of an older epoch everything is in Postgres: a header of this one is loaded only then.
if tonumber(e) > tonumber(epoch) or (e == epoch and tonumber(n) > mark) then return 'waiting' end
return call('XTRIM', KEYS[3], 'MINID', e .. '-' .. string.format('%d', n + 1))
