-- Count one request in a window: {how many more are within the limit, or -1 for one that is not, ms until there is room}.
-- KEYS: the window, a list of times, the newest first. ARGV: limit, length of the window in ms. The clock is Redis's own.
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = redis.call('LINDEX', KEYS[1], -1)
while oldest and tonumber(oldest) <= now - window do
  redis.call('RPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], -1)
end
local counted = redis.call('LLEN', KEYS[1])
if counted >= limit then
  return {-1, redis.call('LINDEX', KEYS[1], limit - 1) + window - now}
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], window)
return {limit - counted - 1, (oldest or now) + window - now}
