#!lua flags=allow-oom
-- After a commit: what Postgres has leaves the log; headers learn how far; windows keep their last entries and whatever waits.
-- It frees memory, so it runs where there is none left, too.
-- Harmless when it comes twice, late or to a server that has forgotten: Postgres has these entries for good.
-- KEYS   1 partition log, then per channel: header, window, whose name is the pub/sub channel too, states
-- ARGV   1 the first log id that stays, then per channel: epoch, n, m and time of the mark, its holes 'n:m n:m …' or '',
--        the number of notices, the notices
-- Output entries that are left in the log
local call, match = redis.call, string.match

-- The union of two lists of holes. What is known stays as it is: a header that was loaded anew knows its holes with another m.
local function merge(old, new)
  local all = old
  for hole in string.gmatch(new, '%S+') do
    if not string.find(' ' .. all, ' ' .. match(hole, '^%d+:'), 1, true) then all = all == '' and hole or all .. ' ' .. hole end
  end
  return all
end

-- The header of the mark's epoch moves up and its window is trimmed; answers the mark and the holes to publish.
local function settle(header, window, epoch, n, m, holes)
  local known = call('HMGET', header, 's', 'p', 'x')
  local current, head = match(known[1] or '', '^(%d+)-(%d+) ')
  if current ~= epoch then return n, m, holes end
  local pn, pm = match(known[2], '^(%d+) (%d+)$')
  if tonumber(pn) > tonumber(n) then n, m = pn, pm end
  holes = merge(known[3] or '', holes)
  call('HSET', header, 'p', n .. ' ' .. m)
  if holes ~= '' then call('HSET', header, 'x', holes) end
  call('XTRIM', window, 'MAXLEN', math.max(__WINDOW_MAX__, head - n))
  return n, m, holes
end

-- Many states: those go that Postgres has had for a while, so that nobody who asked it before they came there finds them gone.
local function prune(states, epoch, n)
  if call('HLEN', states) <= __STATES_MAX__ then return end
  local clock = call('TIME')
  local old = clock[1] * 1000 - __STATES_KEPT_MS__
  local all = call('HGETALL', states)
  for i = 1, #all, 2 do
    local e, at, when = match(cjson.decode(all[i + 1]).place or '', '^(%d+)-(%d+) %d+ (%d+)$')
    if e == epoch and tonumber(at) <= tonumber(n) and tonumber(when) < old then call('HDEL', states, all[i]) end
  end
end

local arg = 2
for key = 2, #KEYS, 3 do
  local epoch, at, notices = ARGV[arg], ARGV[arg + 3], tonumber(ARGV[arg + 5])
  local n, m, holes = settle(KEYS[key], KEYS[key + 1], epoch, ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 4])
  for i = 1, notices do call('PUBLISH', KEYS[key + 1], ARGV[arg + 5 + i]) end
  local positions = {}
  for hole in string.gmatch(holes, '(%d+):') do positions[#positions + 1] = '"' .. epoch .. '-' .. hole .. '"' end
  local place = epoch .. '-' .. n .. ' ' .. m .. ' ' .. at
  call('PUBLISH', KEYS[key + 1], '__LINE_VERSION__ P ' .. place .. ' {"holes":[' .. table.concat(positions, ',') .. ']}')
  prune(KEYS[key + 2], epoch, n)
  arg = arg + 6 + notices
end
-- Last, since what fails before it then stays in the log, and is settled again.
call('XTRIM', KEYS[1], 'MINID', ARGV[1])
return call('XLEN', KEYS[1])
