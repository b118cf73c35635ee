-- Who is in a channel.
-- KEYS   1 channel header
-- ARGV   1 members above which only their number is told
-- Output {head place or false, number of members, member, member, …}
local head = redis.call('HMGET', KEYS[1], 's', 'c')
local members = {head[1], tonumber(head[2] or 0)}
if members[2] > tonumber(ARGV[1]) then return members end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if #field == 36 and not string.find(field, ':', 1, true) then members[#members + 1] = field end
end
return members
