-- Moves one user's presence: a node holds him for a while, lets go of him, or he says how he is. Time is the store's own. What a node
-- holds and did not renew in time is over; it is removed on the way.
-- KEYS   1 the user's presence
-- ARGV   1 the node, '' for none  2 milliseconds for which it holds him; 0: it lets go of him  3 milliseconds that last-seen is kept
--        4 the status that he chose, '' for none  5 his text, '' for none; absent: as it was
-- Output 1 if he has another status than before, else 0; the status; his text; when he was seen last, 0 if unknown;
--        milliseconds until the last hold ends
local key, node, hold, keep, status, text = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local all = redis.call('HGETALL', key)
local said, over, was, ends = {}, {}, false, 0
for i = 1, #all, 2 do
  local holder = string.match(all[i], '^n:(.*)$')
  if not holder then
    said[all[i]] = all[i + 1]
  elseif tonumber(all[i + 1]) <= now then
    over[#over + 1] = all[i]
  else
    was = true
    if holder ~= node then ends = math.max(ends, tonumber(all[i + 1])) end
  end
end
local before = was and (said.s or 'online') or 'offline'

if #over > 0 then redis.call('HDEL', key, unpack(over)) end
if node ~= '' then
  if hold > 0 then
    ends = math.max(ends, now + hold)
    redis.call('HSET', key, 'n:' .. node, string.format('%d', now + hold))
  else
    redis.call('HDEL', key, 'n:' .. node)
  end
  said.l = string.format('%d', now)
  redis.call('HSET', key, 'l', said.l)
end
-- What he chose was for the sessions that he had then.
if not was or ends == 0 then
  said.s, said.t = nil, nil
  redis.call('HDEL', key, 's', 't')
end
if ends > 0 and status ~= '' then
  said.s = status
  redis.call('HSET', key, 's', status)
  if text then
    said.t = text
    redis.call('HSET', key, 't', text)
  end
end
redis.call('PEXPIRE', key, math.max(keep, hold))
local after = ends > 0 and (said.s or 'online') or 'offline'
return {before ~= after and 1 or 0, after, said.t or '', tonumber(said.l or 0), math.max(0, ends - now)}
