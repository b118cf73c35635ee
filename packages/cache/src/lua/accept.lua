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
-- For the server __REPLID__, as long as the mark of its opening is on the epoch (open.lua).
-- Written for few calls and few strings: what each costs is in docs/adr/0019.
local call, match, sub, format = redis.call, string.match, string.sub, string.format

local known = call('MGET', KEYS[1], KEYS[2])
if known[1] ~= '__EPOCH__' or call('OBJECT', 'ENCODING', KEYS[1]) ~= 'raw' then return {'epoch'} end
local sender = ARGV[1]
local header = call('HMGET', KEYS[3], 's', sender, 'a')
local n, m, last = match(header[1] or '', '^__EPOCH__%-(%d+) (%d+) (%d+)$')
if not n then return {'missing'} end
if known[2] then
  local given, at = match(known[2], ' (%d+)-(%d+) ')
  local settled = given ~= '__EPOCH__' or tonumber(at) <= tonumber(match(call('HGET', KEYS[3], 'p'), '^%d+'))
  return {'duplicate', known[2], settled and 1 or 0}
end
-- A rank's digit, then until when he is silenced, or nothing.
local member = header[2]
if not member then return {'stranger'} end
if member < '__LEAST_RANK__' then return {'forbidden'} end
if header[3] then return {'archived'} end
-- Milliseconds as text: a number would be formatted. Times of as many digits compare as texts, too.
local clock = call('TIME')
local micros = clock[2]
local now = clock[1] .. (#micros == 6 and sub(micros, 1, 3) or sub('00000' .. micros, -6, -4))
if #last == #now and now < last then now = last end
if #member > 1 and tonumber(sub(member, 2)) > tonumber(now) then return {'silenced', sub(member, 2)} end
local waiting = call('XLEN', KEYS[5])
if waiting >= __BACKLOG_MAX__ then return {'backpressure'} end

local parent, payload = nil, ARGV[3]
if KEYS[6] then
  local text = call('HGET', KEYS[6], ARGV[4])
  parent = text and cjson.decode(text) or ARGV[5] == '__EPOCH__' and cjson.decode(ARGV[6])[ARGV[4]]
  if not parent then return {'unknown'} end
  if parent.deletedAt ~= cjson.null then return {'gone', parent.place or parent.position .. ' 0 ' .. parent.deletedAt} end
  -- A thread has no threads.
  if parent.threadOf ~= cjson.null then return {'forbidden'} end
  parent.replyCount = parent.replyCount + 1
  payload = '{"thread":{"messageId":"' .. ARGV[4] .. '","replyCount":' .. parent.replyCount .. '},' .. sub(payload, 2)
end

local position = '__EPOCH__-' .. format('%d', n + 1)
local place = position .. ' ' .. format('%d', m + 1) .. ' ' .. now
local line = '__LINE_VERSION__ c ' .. place .. ' ' .. payload
call('XADD', KEYS[4], position, 'l', line)
call('XADD', KEYS[5], '__EPOCH__-*', 'l', line)
-- What is read is delivered, too: whoever asks takes the later of the two.
call('HSET', KEYS[3], 's', place, 'r:' .. sender, place)
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
call('SET', KEYS[2], ARGV[2] .. ' ' .. place, 'EX', '__ANSWER_TTL_S__')
call('PUBLISH', KEYS[4], line)
return {'accepted', place, waiting}
