-- All windows or none: first ask each, then write what all of them agreed to.
-- Replies {allowed, limit, remaining, retry_after_us, delay_us, reset_us} of the window that binds most.
local what, cost, ttl_ms = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local value
local packed, logs, next_log, at = {}, {}, 2, 1
local refused, tightest, delay_us = nil, nil, 0

for first = 5, #ARGV, 5 do
  local algorithm, limit = algorithms[ARGV[first]], tonumber(ARGV[first + 1])
  local max_debt, a, b = tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]), tonumber(ARGV[first + 4])
  local state, where
  if algorithm.size then
    if value == nil then value = redis.call('GET', KEYS[1]) end
    state, where, at = value, at, at + algorithm.size
  else
    state, where, next_log = KEYS[next_log], ttl_ms, next_log + 1
  end
  if what == 'charge' then
    packed[#packed + 1] = algorithm.charge(state, where, cost, limit, max_debt, a, b)
  else
    local allowed, remaining, retry, delay, reset, after = algorithm.take(state, where, cost, limit, max_debt, a, b)
    local one = { allowed and 1 or 0, limit, remaining, retry, delay, reset }
    if not allowed then
      if not refused or refused[4] ~= NEVER and (retry == NEVER or retry > refused[4]) then refused = one end
    elseif not refused then
      if not tightest or remaining < tightest[3] then tightest = one end
      delay_us = max(delay_us, delay)
      if algorithm.size then packed[#packed + 1] = after else logs[#logs + 1] = after end
    end
  end
end

if refused then return refused end
if what ~= 'peek' then
  if #packed > 0 then redis.call('SET', KEYS[1], table.concat(packed), 'PX', ttl_ms) end
  for _, add in ipairs(logs) do add() end
end
if what == 'charge' then return 1 end
tightest[5] = delay_us
return tightest
