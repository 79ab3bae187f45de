-- Writes holds and entries of one event into the mirror, if they are newer than what is there.
-- KEYS  head of the event (hash: epoch, term, revision, missing), its holds (hash: customer -> JSON, each field with its
--       own end), lobby and waiting (sorted sets: customer by position, by place), inside (hash: customer -> JSON)
-- ARGV  epoch, seconds for which the keys are kept, term, revision, base revision or '' for all anew, how many entries
--       are still to come, n, n times customer, kind (lobby, waiting, inside, out) and number or JSON,
--       n, n customers without a hold, then groups: end in Unix ms, n, n times customer and JSON
-- answers 'written'; 'stale' when what is there is as new or newer; 'gap' when it is not at the base. A further piece of
-- the same revision has that as its base.
-- Revisions and terms of another epoch do not compare: all anew replaces it; a change to an older state is a gap,
-- unless somebody with a later term has begun the other epoch.
local head = redis.call('HMGET', KEYS[1], 'term', 'revision', 'epoch')
local term, revision, base = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
if head[1] then
  local there_term, there_revision, is_same = tonumber(head[1]), tonumber(head[2]), head[3] == ARGV[1]
  local is_newer = there_term > term or (is_same and there_term == term and there_revision >= revision)
  local is_base = is_same and there_term == term and head[2] == base
  if is_newer and not is_base and (is_same or base ~= '') then return 'stale' end
end
if base == '' then
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
elseif head[1] ~= ARGV[3] or head[2] ~= base or head[3] ~= ARGV[1] then
  return 'gap'
end
local at, moved, lobby, waiting, inside = 8, {}, {}, {}, {}
for number = 1, tonumber(ARGV[7]) do
  local customer, kind, shown = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  moved[number] = customer
  if kind == 'lobby' then
    lobby[#lobby + 1], lobby[#lobby + 2] = shown, customer
  elseif kind == 'waiting' then
    waiting[#waiting + 1], waiting[#waiting + 2] = shown, customer
  elseif kind == 'inside' then
    inside[#inside + 1], inside[#inside + 2] = customer, shown
  end
  at = at + 3
end
if #moved > 0 then
  redis.call('ZREM', KEYS[3], unpack(moved))
  redis.call('ZREM', KEYS[4], unpack(moved))
  redis.call('HDEL', KEYS[5], unpack(moved))
end
if #lobby > 0 then redis.call('ZADD', KEYS[3], unpack(lobby)) end
if #waiting > 0 then redis.call('ZADD', KEYS[4], unpack(waiting)) end
if #inside > 0 then redis.call('HSET', KEYS[5], unpack(inside)) end
at = at + 1
local gone_end = at + tonumber(ARGV[at - 1])
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
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'term', ARGV[3], 'revision', ARGV[4], 'missing', ARGV[6])
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[2]) end
return 'written'
