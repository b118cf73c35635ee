-- A server takes up an epoch: the epoch is set where it is another one, and *marked*. The mark is how the string lies in memory: not as
-- the number that it is ('int'), but as text ('raw'). It is made on this server alone, and no load of any data set keeps it: a server
-- that took over another's data set, or its own of an earlier time, has none, whatever scripts and keys it still has.
-- That a load takes it away is tried out here each time, with the code that loads.
-- KEYS   1 epoch
-- Output 'marked' | 'elsewhere': this is another server, or not a master
local call = redis.call

local replication = call('INFO', 'replication')
-- The colon matters: `master_replid2` names the server that this one was a replica of.
if not string.find(replication, 'master_replid:__REPLID__', 1, true) or not string.find(replication, 'role:master', 1, true) then
  return 'elsewhere'
end
if call('GET', KEYS[1]) ~= '__EPOCH__' then call('SET', KEYS[1], '__EPOCH__') end
-- Neither replicas nor the append-only file hear of what follows.
redis.set_repl(redis.REPL_NONE)
local function encoding() return call('OBJECT', 'ENCODING', KEYS[1]) end
call('SETRANGE', KEYS[1], 0, '__EPOCH__')
local marked = encoding()
call('RESTORE', KEYS[1], 0, call('DUMP', KEYS[1]), 'REPLACE')
local loaded = encoding()
call('SETRANGE', KEYS[1], 0, '__EPOCH__')
if marked ~= 'raw' or loaded == 'raw' then
  return redis.error_reply('ERR this server cannot mark an epoch: it has ' .. marked .. ' before a load and ' .. loaded .. ' after it')
end
return 'marked'
