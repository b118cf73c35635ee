#!lua flags=allow-oom
-- Retention has removed the beginning of a channel: it leaves the window, and what is kept of its messages' changes goes. Entries behind
-- it that hold such a message whole (an edit, a reaction) go too when Postgres has them, with all before them: a gap in the middle
-- would be read as the end of what there is. The channel's own state has no position, and stays. It frees memory, so it runs where
-- none is left.
-- KEYS   1 channel header  2 window  3 states
-- ARGV   1 epoch and 2 n of the newest position that was removed
-- Output entries that left the window
local call, match = redis.call, string.match

-- Epochs and n are compared as numbers: as text 10 comes before 9.
local function isUpTo(position, epoch, n)
  local e, at = match(position or '', '^(%d+)%-(%d+)$')
  e, at = tonumber(e), tonumber(at)
  return e ~= nil and epoch ~= nil and (e < epoch or (e == epoch and at <= n))
end
local epoch, n = tonumber(ARGV[1]), tonumber(ARGV[2])
local function isRemoved(state) return isUpTo(state.position, epoch, n) end

local states = call('HGETALL', KEYS[3])
for i = 1, #states, 2 do
  if isRemoved(cjson.decode(states[i + 1])) then call('HDEL', KEYS[3], states[i]) end
end

local header = call('HMGET', KEYS[1], 's', 'p')
local loaded, mark = tonumber(match(header[1] or '', '^%d+')), tonumber(match(header[2] or '', '^%d+'))
local last, lastN = ARGV[1], n
local lines = call('XREVRANGE', KEYS[2], '+', '(' .. ARGV[1] .. '-' .. ARGV[2])
for i = 1, #lines do
  local id, line = lines[i][1], lines[i][2][2]
  local json = match(line, '^%S+ %S+ %S+ %S+ %S+ ({"state":.*)$')
  -- Of an older epoch everything is in Postgres: a header of this one is loaded only then.
  if json and isUpTo(id, loaded, mark) and isRemoved(cjson.decode(json).state) then
    last, lastN = match(id, '^(%d+)%-(%d+)$')
    break
  end
end
return call('XTRIM', KEYS[2], 'MINID', last .. '-' .. string.format('%d', lastN + 1))
