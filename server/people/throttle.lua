-- Attempts within windows that begin with the first one. KEYS: the budgets' names.
--
-- ARGV 'begin', now_ms, then attempts_max and window_ms of each: counts one attempt on all of them and answers 0; or,
--      where one of them is used up, counts none and answers after how many milliseconds all may be tried again.
-- ARGV 'give back': takes one attempt back from each that still has one.
if ARGV[1] == 'give back' then
    for _, key in ipairs(KEYS) do
        if tonumber(redis.call('HGET', key, 'attempts') or '0') > 0 then
            redis.call('HINCRBY', key, 'attempts', -1)
        end
    end
    return 0
end

local now, wait_ms = tonumber(ARGV[2]), 0
for i, key in ipairs(KEYS) do
    local found = redis.call('HMGET', key, 'attempts', 'ends_at_ms')
    local ends_at = tonumber(found[2] or '0')
    if ends_at <= now then
        redis.call('DEL', key)
    elseif tonumber(found[1]) >= tonumber(ARGV[2 * i + 1]) then
        wait_ms = math.max(wait_ms, ends_at - now)
    end
end
if wait_ms > 0 then
    return wait_ms
end
for i, key in ipairs(KEYS) do
    if redis.call('HINCRBY', key, 'attempts', 1) == 1 and redis.call('HEXISTS', key, 'ends_at_ms') == 0 then
        local window_ms = tonumber(ARGV[2 * i + 2])
        redis.call('HSET', key, 'ends_at_ms', now + window_ms)
        redis.call('PEXPIRE', key, window_ms)
    end
end
return 0
