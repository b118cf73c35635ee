-- A message is edited, deleted or reacted to, or the channel itself is changed: an entry of the same log, which takes an n and no m.
-- What is changed has a state here, whole, from its first change in an epoch on; the first caller brings what Postgres or the window
-- knows of it. A state that is missing was not changed since, so what was read of it in this epoch is right.
-- KEYS   1 epoch  2 answer given to this operation  3 channel header  4 window, whose name is the pub/sub channel too  5 partition log
--        6 states
-- ARGV   1 actor  2 operation id  3 entry kind: e edited, d deleted, r reacted, h channel changed  4 message, or the channel
--        5 new body, or emoji, or changed fields of the channel as JSON  6 '+' or '-' of a reaction, or of the archive; ''
--        7 least rank to change what is somebody else's  8 payload as the api wrote it: a JSON object that is not empty
--        9 the epoch in which what is known was read, or ''  10 what is known: a JSON object of states by id
-- Output {'accepted', place, entries that waited before} | {'duplicate', 'id place', 1 when settled, else 0}
--        | {'gone', place, 1 when settled, else 0} | {'unknown'} | {'epoch'} | {'missing'} | {'stranger'} | {'forbidden'} | {'silenced', until}
--        | {'archived'} | {'unchanged'} | {'full'} | {'backpressure'}
-- For the server __REPLID__, as long as the mark of its opening is on the epoch (open.lua).
local EPOCH = '__EPOCH__'
local call, match = redis.call, string.match
local null = cjson.null

local answered = call('MGET', KEYS[1], KEYS[2])
if answered[1] ~= EPOCH or call('OBJECT', 'ENCODING', KEYS[1]) ~= 'raw' then
  return {'epoch'}
end
local actor, kind, target, value, sign = ARGV[1], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local header = call('HMGET', KEYS[3], 's', 'p', 'v', 'c', 'a', 'y', actor)
local epoch, n, m, last = match(header[1] or '', '^(%d+)-(%d+) (%d+) (%d+)$')
if epoch ~= EPOCH then return {'missing'} end
local function isSettled(place)
  local given, at = match(place, '^(%d+)-(%d+) ')
  return given ~= EPOCH or tonumber(at) <= tonumber(match(header[2], '^%d+'))
end
if answered[2] then return {'duplicate', answered[2], isSettled(match(answered[2], ' (.*)$')) and 1 or 0} end
if not header[7] then return {'stranger'} end
local rank, silenced = match(header[7], '^(%d)(%d*)$')
local clock = call('TIME')
local now = math.max(clock[1] * 1000 + math.floor(clock[2] / 1000), tonumber(last))
local mayAll = tonumber(rank) >= tonumber(ARGV[7])
-- Who may not speak may still take back what he said.
if kind == 'e' or kind == 'r' then
  if silenced ~= '' and tonumber(silenced) > now then return {'silenced', silenced} end
  if header[5] then return {'archived'} end
end

local known = ARGV[9] == EPOCH and cjson.decode(ARGV[10]) or {}
local function stateOf(id)
  local text = call('HGET', KEYS[6], id)
  return text and cjson.decode(text) or known[id]
end
local state = stateOf(target)
if not state then return {'unknown'} end
local parent = kind == 'd' and state.threadOf ~= null and stateOf(state.threadOf)
-- The caller has looked, and found that the message above is removed: then nobody counts its replies.
local orphan = known[target] and known[target].threadOf == null
if kind == 'd' and state.threadOf ~= null and not parent and not orphan then return {'unknown'} end

-- What refuses; nothing is written before all of it is worked out.
if kind == 'h' then
  if not mayAll then return {'forbidden'} end
  local changed = false
  for field, new in pairs(cjson.decode(value)) do
    if state[field] ~= new then changed = true end
    state[field] = new
  end
  if sign ~= '' and (sign == '+') == (state.archivedAt == null) then
    changed = true
    state.archivedAt = sign == '+' and now or null
  end
  if not changed then return {'unchanged'} end
else
  if state.deletedAt ~= null then
    local since = state.place or state.position .. ' 0 ' .. state.deletedAt
    return {'gone', since, isSettled(since) and 1 or 0}
  end
  if kind == 'e' then
    if state.senderId ~= actor then return {'forbidden'} end
    state.body, state.editedAt = value, now
  elseif kind == 'd' then
    if state.senderId ~= actor and not mayAll then return {'forbidden'} end
    state.body, state.deletedAt, state.reactors = '', now, {}
    if parent then parent.replyCount = math.max(0, parent.replyCount - 1) end
  else
    local users, at, emojis = state.reactors[value] or {}, nil, 0
    for i = 1, #users do
      if users[i] == actor then at = i end
    end
    for _ in pairs(state.reactors) do emojis = emojis + 1 end
    if (sign == '+') == (at ~= nil) then return {'unchanged'} end
    if sign == '+' and #users == 0 and emojis >= __EMOJIS_MAX__ then return {'full'} end
    if at then table.remove(users, at) else users[#users + 1] = actor end
    -- An empty list would be written as an object.
    state.reactors[value] = #users > 0 and users or nil
  end
end
local waiting = call('XLEN', KEYS[5])
if waiting >= __BACKLOG_MAX__ then return {'backpressure'} end

local position = EPOCH .. '-' .. (n + 1)
local place = position .. ' ' .. m .. ' ' .. now
local version = tonumber(header[3])
local front = ''
if kind == 'h' then
  version = version + 1
  front = '"version":' .. version .. ',"memberCount":' .. header[4] .. ','
elseif parent then
  front = '"thread":{"messageId":"' .. state.threadOf .. '","replyCount":' .. parent.replyCount .. '},'
end
state.place = place
local text = cjson.encode(state)
local line = '__LINE_VERSION__ ' .. kind .. ' ' .. place .. ' {"state":' .. text .. ',' .. front .. string.sub(ARGV[8], 2)
call('XADD', KEYS[4], position, 'l', line)
call('XADD', KEYS[5], EPOCH .. '-*', 'l', line)
call('HSET', KEYS[6], target, text)
if parent then
  parent.place = place
  call('HSET', KEYS[6], state.threadOf, cjson.encode(parent))
end
call('HSET', KEYS[3], 's', place, 'v', version, 'w', position)
if kind == 'd' then
  -- Which messages no longer count as unread; of very many the oldest are forgotten, and count again.
  local deleted = (header[6] and header[6] .. ' ' or '') .. state.position
  local _, count = string.gsub(deleted, '%S+', '')
  if count > __DELETED_MAX__ then deleted = match(deleted, '^%S+ (.*)$') end
  call('HSET', KEYS[3], 'y', deleted)
elseif kind == 'h' and sign == '+' then
  call('HSET', KEYS[3], 'a', state.archivedAt)
elseif kind == 'h' and sign == '-' then
  call('HDEL', KEYS[3], 'a')
end
call('SET', KEYS[2], ARGV[2] .. ' ' .. place, 'EX', __ANSWER_TTL_S__)
call('PUBLISH', KEYS[4], line)
return {'accepted', place, waiting}
