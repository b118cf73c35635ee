-- A member's read cursor moves up, and his delivered cursor with it. It never goes back.
-- KEYS   1 epoch  2 channel header  3 window, whose name is the pub/sub channel too  4 cursors that were not flushed yet
-- ARGV   1 user  2 epoch and 3 n of the position  4 channel id
--        when they were counted: 5 messages that Postgres has after the position, up to a mark: 6 its epoch  7 its n  8 its m
-- Output {'at', header fields, see `viewFields`, when the entry was accepted that he reads now, '' where that is not known or he
--        had read it before} | {'count', n and m of the mark}
--        | {'ahead'} | {'epoch'} | {'missing'} | {'stranger'}
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
local accepted = ''
if after(header[11]) then
  local position, m = ARGV[2] .. '-' .. ARGV[3], nil
  -- An entry of an older epoch counted its m from another baseline, and with entries that came to nothing.
  local entry = e == tonumber(EPOCH) and call('XRANGE', KEYS[3], position, position)[1]
  if entry then
    m, accepted = match(entry[2][2], '^%d+ %S+ %S+ (%d+) (%d+) ')
  elseif ARGV[6] ~= EPOCH then
    return {'count', match(header[4], '^(%d+) (%d+)$')}
  else
    -- Count back from the mark, over the holes that took an m: nothing at or below it changes any more, wherever the mark is now.
    local top = tonumber(ARGV[7])
    m = tonumber(ARGV[8]) - tonumber(ARGV[5])
    for hn, hm in string.gmatch(header[5] or '', '(%d+):(%d+)') do
      hn = tonumber(hn)
      if hm ~= '0' and hn <= top and (e < tonumber(EPOCH) or hn > n) then m = m - 1 end
    end
    m = math.max(m, 0)
  end
  local clock = call('TIME')
  local place = position .. ' ' .. m .. ' ' .. clock[1] * 1000 + math.floor(clock[2] / 1000)
  header[11] = place
  if after(header[12]) then header[12] = place end
  call('HSET', KEYS[2], 'r:' .. user, place, 'd:' .. user, header[12])
  -- What is read is no mention any more; what came before a later one is forgotten with it.
  local left = {}
  for position in string.gmatch(header[13] or '', '%S+') do
    local pe, pn = match(position, '^(%d+)-(%d+)$')
    if tonumber(pe) > e or (tonumber(pe) == e and tonumber(pn) > n) then left[#left + 1] = position end
  end
  if header[13] then
    header[13] = table.concat(left, ' ')
    if #left > 0 then call('HSET', KEYS[2], '@:' .. user, header[13]) else call('HDEL', KEYS[2], '@:' .. user) end
  end
  call('HSET', KEYS[4], ARGV[4] .. ' ' .. user, place .. ',' .. header[12])
  call('PUBLISH', KEYS[3], '__LINE_VERSION__ R ' .. place .. ' {"userId":"' .. user .. '"}')
end
header[14] = accepted
return {'at', unpack(header, 1, 14)}
