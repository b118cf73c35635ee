-- A message enters the log: epoch, dedupe, membership, backlog, position, append, publication.
-- Whatever can refuse comes before the first write, and the first write is the only one that can fail (a stream id that would
-- go backwards): a script does not roll back.
-- KEYS   1 epoch  2 answer given to this operation  3 channel header  4 window, whose name is the pub/sub channel too  5 partition log
-- ARGV   1 sender  2 message id  3 payload as the api wrote it
-- Output {'accepted', place, entries that waited before} | {'duplicate', 'id place', 1 when settled, else 0} | {'silenced', until}
--        | {'epoch'} | {'missing'} | {'stranger'} | {'forbidden'} | {'backpressure'}
local EPOCH = '__EPOCH__'
local call, match = redis.call, string.match

local known = call('MGET', KEYS[1], KEYS[2])
-- The colon matters: `master_replid2` names the server that this one was a replica of.
if known[1] ~= EPOCH or not string.find(call('INFO', 'replication'), 'master_replid:__REPLID__', 1, true) then
  return {'epoch'}
end
local sender = ARGV[1]
local header = call('HMGET', KEYS[3], 's', 'p', sender)
local epoch, n, m, last = match(header[1] or '', '^(%d+)-(%d+) (%d+) (%d+)$')
if epoch ~= EPOCH then return {'missing'} end
if known[2] then
  local given, at = match(known[2], ' (%d+)-(%d+) ')
  local settled = given ~= EPOCH or tonumber(at) <= tonumber(match(header[2], '^%d+'))
  return {'duplicate', known[2], settled and 1 or 0}
end
local member = header[3]
if not member then return {'stranger'} end
local rank, silenced = match(member, '^(%d)(%d*)$')
if tonumber(rank) < __LEAST_RANK__ then return {'forbidden'} end
local clock = call('TIME')
local now = math.max(clock[1] * 1000 + math.floor(clock[2] / 1000), tonumber(last))
if silenced ~= '' and tonumber(silenced) > now then return {'silenced', silenced} end
local waiting = call('XLEN', KEYS[5])
if waiting >= __BACKLOG_MAX__ then return {'backpressure'} end

local position = EPOCH .. '-' .. (n + 1)
local place = position .. ' ' .. (m + 1) .. ' ' .. now
local line = '__LINE_VERSION__ c ' .. place .. ' ' .. ARGV[3]
call('XADD', KEYS[4], position, 'l', line)
call('XADD', KEYS[5], EPOCH .. '-*', 'l', line)
call('HSET', KEYS[3], 's', place, 'r:' .. sender, place, 'd:' .. sender, place)
call('SET', KEYS[2], ARGV[2] .. ' ' .. place, 'EX', __ANSWER_TTL_S__)
call('PUBLISH', KEYS[4], line)
return {'accepted', place, waiting}
