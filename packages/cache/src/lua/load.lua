-- A channel's header, as Postgres has it, once per epoch: an existing one of this epoch is newer and is kept.
-- KEYS   1 epoch  2 channel header  3 window  4 states  5 register of loaded headers
-- ARGV   1 epoch of the snapshot  2 newest n of this epoch in Postgres, or 0  3 its m  4 its time
--        5 newest position of an older epoch, or ''  then pairs: field, value
-- Output 'loaded' | 'kept' | 'epoch'
-- For the server __REPLID__, as long as the mark of its opening is on the epoch (open.lua).
local EPOCH = '__EPOCH__'
local call, match = redis.call, string.match

if ARGV[1] ~= EPOCH or call('GET', KEYS[1]) ~= EPOCH or call('OBJECT', 'ENCODING', KEYS[1]) ~= 'raw' then
  return 'epoch'
end
if match(call('HGET', KEYS[2], 's') or '', '^%d+') == EPOCH then return 'kept' end

local n, m, at, base = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local mark = n .. ' ' .. m
-- Entries of this epoch that are not in Postgres yet have taken their n: it is never given twice.
local newest = call('XREVRANGE', KEYS[3], '+', EPOCH .. '-0', 'COUNT', 1)[1]
if newest then
  local wn, wm, wat = match(newest[2][2], '^%d+ %S+ %d+-(%d+) (%d+) (%d+)')
  if tonumber(wn) > tonumber(n) then n, m, at = wn, wm, wat end
end
-- No older entry waits in the log (the caller saw to that), so what the window has beyond Postgres' head was lost by Postgres.
local lost = {}
if ARGV[2] == '0' then
  local found = call('XRANGE', KEYS[3], base == '' and '-' or '(' .. base, '(' .. EPOCH .. '-0')
  for i = 1, #found do lost[i] = found[i][1] end
end

-- Whatever was changed before is in Postgres by now, or lost with the log store that knew it.
call('DEL', KEYS[2], KEYS[4])
call('HSET', KEYS[2], 's', EPOCH .. '-' .. n .. ' ' .. m .. ' ' .. at, 'p', mark)
if base ~= '' then call('HSET', KEYS[2], 'b', base) end
for i = 6, #ARGV, 1000 do call('HSET', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
-- What Postgres has of this epoch is its to tell from now on: its holes are known without their m, which a read of the window needs.
if ARGV[2] ~= '0' then call('XTRIM', KEYS[3], 'MINID', EPOCH .. '-' .. (ARGV[2] + 1)) end
call('ZADD', KEYS[5], call('TIME')[1], match(KEYS[2], ':ch:(.+)$'))
for i = 1, #lost, 1000 do call('XDEL', KEYS[3], unpack(lost, i, math.min(i + 999, #lost))) end
return 'loaded'
