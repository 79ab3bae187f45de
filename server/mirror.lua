-- Writes holds of one event into the mirror, if they are newer than what is there.
-- KEYS  head of the event (hash: epoch, term, revision), its holds (hash: customer -> JSON, each field with its own
--       end)
-- ARGV  epoch, seconds for which the keys are kept, term, revision, base revision or '' for all anew,
--       n, n customers without a hold, then groups: end in Unix ms, n, n times customer and JSON
-- answers 'written'; 'stale' when what is there is as new or newer; 'gap' when it is not at the base.
-- Revisions and terms of another epoch do not compare: all anew replaces it; a change to an older state is a gap,
-- unless somebody with a later term has begun the other epoch.
local head = redis.call('HMGET', KEYS[1], 'term', 'revision', 'epoch')
local term, revision, base = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
if head[1] then
  local there_term, there_revision, is_same = tonumber(head[1]), tonumber(head[2]), head[3] == ARGV[1]
  local is_newer = there_term > term or (is_same and there_term == term and there_revision >= revision)
  if is_newer and (is_same or base ~= '') then return 'stale' end
end
if base == '' then
  redis.call('DEL', KEYS[2])
elseif head[1] ~= ARGV[3] or head[2] ~= base or head[3] ~= ARGV[1] then
  return 'gap'
end
local at = 7
local gone_end = at + tonumber(ARGV[6])
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
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'term', ARGV[3], 'revision', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 'written'
