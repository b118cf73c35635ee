-- A member joins, leaves, gets another rank or is silenced: an entry of the same log, which takes an n and no m.
-- The header alone says who may; everything is worked out before the first write.
-- KEYS   1 epoch  2 answer given to this operation  3 channel header  4 window, whose name is the pub/sub channel too  5 partition log
-- ARGV   1 actor  2 operation id  3 entry kind: j joined, l left, u updated  4 member  5 his new rank, '' when he leaves or keeps it
--        6 least rank of the actor  7 payload as the api wrote it: a JSON object that is not empty
--        8 silenced until, 0: not any more, '': as it was  9 '1' when somebody who is no member may bring himself in
-- Output {'accepted', place, entries that waited before} | {'duplicate', 'id place', 1 when settled, else 0}
--        | {'epoch'} | {'missing'} | {'stranger'} | {'forbidden'} | {'archived'} | {'unchanged'} | {'full'} | {'backpressure'}
-- For the server __REPLID__, as long as the mark of its opening is on the epoch (open.lua).
local EPOCH = '__EPOCH__'
local call, match = redis.call, string.match

local known = call('MGET', KEYS[1], KEYS[2])
if known[1] ~= EPOCH or call('OBJECT', 'ENCODING', KEYS[1]) ~= 'raw' then
  return {'epoch'}
end
local actor, kind, user, rank = ARGV[1], ARGV[3], ARGV[4], ARGV[5]
local header = call('HMGET', KEYS[3], 's', 'p', 'v', 'c', 'l', actor, user, 'a', 'q:' .. user)
local epoch, n, m, last = match(header[1] or '', '^(%d+)-(%d+) (%d+) (%d+)$')
if epoch ~= EPOCH then return {'missing'} end
if known[2] then
  local given, at = match(known[2], ' (%d+)-(%d+) ')
  local settled = given ~= EPOCH or tonumber(at) <= tonumber(match(header[2], '^%d+'))
  return {'duplicate', known[2], settled and 1 or 0}
end
local version, count, limit = tonumber(header[3]), tonumber(header[4]), tonumber(header[5])
local present, before = match(header[7] or '', '^(%d)(%d*)$')
local silenced = before or ''
if ARGV[8] ~= '' then silenced = ARGV[8] == '0' and '' or ARGV[8] end
local joins = kind == 'j' and user == actor and ARGV[9] == '1'
-- He went while he was silenced, and Postgres may not have heard of it when it was asked.
if joins and header[9] and tonumber(header[9]) > (tonumber(silenced) or 0) then silenced = header[9] end
if not header[6] and not joins then return {'stranger'} end
local own = header[6] and tonumber(match(header[6], '^%d')) or 0
-- Nobody raises himself or another above his own rank.
if not joins and (own < tonumber(ARGV[6]) or (rank ~= '' and tonumber(rank) > own)) then return {'forbidden'} end
if kind == 'j' then
  if present then return {'unchanged'} end
  if header[8] then return {'archived'} end
  if count >= limit then return {'full'} end
else
  if not present then return {kind == 'l' and 'unchanged' or 'stranger'} end
  if user ~= actor and tonumber(present) >= own then return {'forbidden'} end
  if kind == 'u' and rank == '' then rank = present end
  if kind == 'u' and present == rank and silenced == before then return {'unchanged'} end
end
local waiting = call('XLEN', KEYS[5])
if waiting >= __BACKLOG_MAX__ then return {'backpressure'} end

version = version + 1
local clock = call('TIME')
local now = math.max(clock[1] * 1000 + math.floor(clock[2] / 1000), tonumber(last))
local position = EPOCH .. '-' .. (n + 1)
local place = position .. ' ' .. m .. ' ' .. now
local front = '{"version":' .. version .. ',"rank":' .. (kind == 'l' and 'null' or rank) .. ','
if ARGV[8] ~= '' or (joins and silenced ~= '') then
  front = front .. '"silencedUntil":' .. (silenced == '' and '0' or silenced) .. ','
end
local line = '__LINE_VERSION__ ' .. kind .. ' ' .. place .. ' ' .. front .. string.sub(ARGV[7], 2)
call('XADD', KEYS[4], position, 'l', line)
call('XADD', KEYS[5], EPOCH .. '-*', 'l', line)
if kind == 'j' then
  -- What was said before somebody joined is not unread to him.
  call('HSET', KEYS[3], 's', place, 'v', version, 'c', count + 1, user, rank .. silenced, 'r:' .. user, place, 'd:' .. user, place)
  call('HDEL', KEYS[3], 'q:' .. user)
elseif kind == 'l' then
  call('HSET', KEYS[3], 's', place, 'v', version, 'c', count - 1)
  call('HDEL', KEYS[3], user, 'r:' .. user, 'd:' .. user, '@:' .. user)
  if silenced ~= '' and tonumber(silenced) > now then call('HSET', KEYS[3], 'q:' .. user, silenced) end
else
  call('HSET', KEYS[3], 's', place, 'v', version, user, rank .. silenced)
end
call('SET', KEYS[2], ARGV[2] .. ' ' .. place, 'EX', __ANSWER_TTL_S__)
call('PUBLISH', KEYS[4], line)
return {'accepted', place, waiting}
