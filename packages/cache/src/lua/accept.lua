-- A message enters the log: epoch, dedupe, membership, backlog, position, append, publication.
-- Whatever can refuse comes before the first write, and the first write is the only one that can fail (a stream id that would
-- go backwards): a script does not roll back.
-- KEYS   1 epoch  2 answer given to this operation  3 channel header  4 window, whose name is the pub/sub channel too  5 partition log
--        of a reply: 6 states
-- ARGV   1 sender  2 message id  3 payload as the api wrote it: a JSON object that is not empty
--        of a reply or where somebody is mentioned: 4 message whose thread it is in, or ''  5 the epoch in which what is known of that
--        one was read, or ''  6 what is known: a JSON object of states by id  then the users mentioned
-- Output {'accepted', place, entries that waited before} | {'duplicate', 'id place', 1 when settled, else 0} | {'silenced', until}
--        | {'gone', place} | {'unknown'} | {'epoch'} | {'missing'} | {'stranger'} | {'forbidden'} | {'archived'} | {'backpressure'}
local EPOCH = '__EPOCH__'
local call, match = redis.call, string.match

local known = call('MGET', KEYS[1], KEYS[2])
-- The colon matters: `master_replid2` names the server that this one was a replica of.
if known[1] ~= EPOCH or not string.find(call('INFO', 'replication'), 'master_replid:__REPLID__', 1, true) then
  return {'epoch'}
end
local sender = ARGV[1]
local header = call('HMGET', KEYS[3], 's', 'p', sender, 'a')
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
if header[4] then return {'archived'} end
local clock = call('TIME')
local now = math.max(clock[1] * 1000 + math.floor(clock[2] / 1000), tonumber(last))
if silenced ~= '' and tonumber(silenced) > now then return {'silenced', silenced} end
local waiting = call('XLEN', KEYS[5])
if waiting >= __BACKLOG_MAX__ then return {'backpressure'} end

local parent, payload = nil, ARGV[3]
if KEYS[6] then
  local text = call('HGET', KEYS[6], ARGV[4])
  parent = text and cjson.decode(text) or ARGV[5] == EPOCH and cjson.decode(ARGV[6])[ARGV[4]]
  if not parent then return {'unknown'} end
  if parent.deletedAt ~= cjson.null then return {'gone', parent.place or parent.position .. ' 0 ' .. parent.deletedAt} end
  -- A thread has no threads.
  if parent.threadOf ~= cjson.null then return {'forbidden'} end
  parent.replyCount = parent.replyCount + 1
  payload = '{"thread":{"messageId":"' .. ARGV[4] .. '","replyCount":' .. parent.replyCount .. '},' .. string.sub(payload, 2)
end

local position = EPOCH .. '-' .. (n + 1)
local place = position .. ' ' .. (m + 1) .. ' ' .. now
local line = '__LINE_VERSION__ c ' .. place .. ' ' .. payload
call('XADD', KEYS[4], position, 'l', line)
call('XADD', KEYS[5], EPOCH .. '-*', 'l', line)
call('HSET', KEYS[3], 's', place, 'r:' .. sender, place, 'd:' .. sender, place)
if parent then
  parent.place = place
  call('HSET', KEYS[6], ARGV[4], cjson.encode(parent))
  call('HSET', KEYS[3], 'w', position)
end
for i = 7, #ARGV do
  local user = ARGV[i]
  local mentioned = call('HMGET', KEYS[3], user, '@:' .. user)
  if mentioned[1] and user ~= sender then
    local list = (mentioned[2] and mentioned[2] .. ' ' or '') .. position
    local _, count = string.gsub(list, '%S+', '')
    if count > __MENTIONS_MAX__ then list = match(list, '^%S+ (.*)$') end
    call('HSET', KEYS[3], '@:' .. user, list)
  end
end
call('SET', KEYS[2], ARGV[2] .. ' ' .. place, 'EX', __ANSWER_TTL_S__)
call('PUBLISH', KEYS[4], line)
return {'accepted', place, waiting}
