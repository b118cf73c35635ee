-- A sliding window: no span of the given length ever holds more calls than it may. Calls are counted in cells of a sixtieth of the span,
-- and a cell counts until all of it has left the span: a call may be remembered for one cell too long, never too short.
-- KEYS   1 the caller's calls, by number of the cell
-- ARGV   1 milliseconds of the span  2 calls that it may hold  3 calls that are wanted
-- Output milliseconds until the same calls are allowed; 0: they were allowed, and are counted
local span, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
-- Whole milliseconds: the times below are exact in a double.
local width = math.ceil(span / __SPAN_CELLS__)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local newest = math.floor(now / width)
local oldest = newest - __SPAN_CELLS__
local function leaves(cell) return math.ceil((cell + __SPAN_CELLS__ + 1) * width - now) end

local calls, gone, held = {}, {}, 0
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local cell, count = tonumber(stored[i]), tonumber(stored[i + 1])
  if cell < oldest then
    gone[#gone + 1] = stored[i]
  else
    calls[cell] = count
    held = held + count
  end
end
if held + wanted > most then
  for cell = oldest, newest do
    held = held - (calls[cell] or 0)
    if held + wanted <= most then return leaves(cell) end
  end
  -- More than it ever may hold, or a clock that went back.
  return leaves(newest)
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
redis.call('HINCRBY', KEYS[1], string.format('%.0f', newest), wanted)
redis.call('PEXPIRE', KEYS[1], leaves(newest))
return 0
