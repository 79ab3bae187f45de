-- Writes holds of one event into the mirror, if they are newer than what is there.
-- KEYS  head of the event (hash: term, revision), its holds (hash: customer -> JSON, each field with its own end)
-- ARGV  term, revision, base revision or '' for all anew, n, n customers without a hold,
--       then groups: end in Unix ms, n, n times customer and JSON
-- answers 'written'; 'stale' when what is there is as new or newer; 'gap' when it is not at the base
local head = redis.call('HMGET', KEYS[1], 'term', 'revision')
local term, revision = tonumber(ARGV[1]), tonumber(ARGV[2])
if head[1] then
  local there_term, there_revision = tonumber(head[1]), tonumber(head[2])
  if there_term > term or (there_term == term and there_revision >= revision) then return 'stale' end
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[2])
elseif head[1] ~= ARGV[1] or head[2] ~= ARGV[3] then
  return 'gap'
end
local at = 5
local gone_end = at + tonumber(ARGV[4])
while at < gone_end do
  local n = math.min(gone_end - at, 1000) -- unpack has a limit of some thousand values
  redis.call('HDEL', KEYS[2], unpack(ARGV, at, at + n - 1))
  at = at + n
end
while at <= #ARGV do
  local n = tonumber(ARGV[at + 1])
  redis.call('HSETEX', KEYS[2], 'PXAT', ARGV[at], 'FIELDS', n, unpack(ARGV, at + 2, at + 1 + 2 * n))
  at = at + 2 + 2 * n
end
redis.call('HSET', KEYS[1], 'term', ARGV[1], 'revision', ARGV[2])
return 'written'
