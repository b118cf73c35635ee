-- A member's delivered cursor moves up. It never goes back, and needs no count.
-- KEYS   1 epoch  2 channel header  3 window, whose name is the pub/sub channel too  4 cursors that were not flushed yet
-- ARGV   1 user  2 epoch and 3 n of the position  4 channel id
-- Output {'at', header fields, see `viewFields`} | {'ahead'} | {'epoch'} | {'missing'} | {'stranger'}
-- For the server __REPLID__, as long as the mark of its opening is on the epoch (open.lua).
local EPOCH = '__EPOCH__'
local call, match = redis.call, string.match

if call('GET', KEYS[1]) ~= EPOCH or call('OBJECT', 'ENCODING', KEYS[1]) ~= 'raw' then
  return {'epoch'}
end
local user, e, n = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local header = call('HMGET', KEYS[2], 's', 'b', 'v', 'p', 'x', 'c', 'a', 'w', 'y', user, 'r:' .. user, 'd:' .. user, '@:' .. user)
local epoch, head = match(header[1] or '', '^(%d+)-(%d+) ')
if epoch ~= EPOCH then return {'missing'} end
if not header[10] then return {'stranger'} end
if e > tonumber(EPOCH) or (e == tonumber(EPOCH) and n > tonumber(head)) then return {'ahead'} end

-- True when the position is after a place.
local function after(place)
  local pe, pn = match(place or '0-0', '^(%d+)-(%d+)')
  return e > tonumber(pe) or (e == tonumber(pe) and n > tonumber(pn))
end
-- What is read is delivered, too: a send moves the read cursor alone.
if after(header[11]) and after(header[12]) then
  local clock = call('TIME')
  local place = ARGV[2] .. '-' .. ARGV[3] .. ' 0 ' .. clock[1] * 1000 + math.floor(clock[2] / 1000)
  header[12] = place
  call('HSET', KEYS[2], 'd:' .. user, place)
  call('HSET', KEYS[4], ARGV[4] .. ' ' .. user, header[11] .. ',' .. place)
  local readTo = match(header[11], '^%S+')
  call('PUBLISH', KEYS[3], '__LINE_VERSION__ D ' .. place .. ' {"userId":"' .. user .. '","readTo":"' .. readTo .. '"}')
end
return {'at', unpack(header, 1, 13)}
