-- All windows or none: first ask each, then write what all of them agreed to.
-- Replies {allowed, limit, remaining, retry_after_us, delay_us, reset_us} of the window that binds most.
local what, cost, ttl_ms = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local value
local packed, logs, set_back = {}, {}, nil
local next_log, at = 2, 1
local refused, tightest, delay_us = nil, nil, 0

-- What to write should all windows agree: packed states in their order, and what adds to a log.
local function note(algorithm, after)
  if algorithm.size then packed[#packed + 1] = after elseif after then logs[#logs + 1] = after end
end

local function write_packed(text)
  redis.call('SET', KEYS[1], text, 'PX', ttl_ms)
end

for n = 1, #windows do
  local algorithm = windows[n]
  local limit, max_debt, a, b = unpack_from('<i8i8i8i8', ARGV[5], n * 32 - 31)
  local state, where
  if algorithm.size then
    if value == nil then value = redis.call('GET', KEYS[1]) end
    state, where, at = value, at, at + algorithm.size
  else
    state, where, next_log = KEYS[next_log], ttl_ms, next_log + 1
  end
  if what == 'charge' then
    note(algorithm, algorithm.charge(state, where, cost, limit, max_debt, a, b))
  else
    local allowed, remaining, retry, delay, reset, after = algorithm.take(state, where, cost, limit, max_debt, a, b)
    local one = { allowed and 1 or 0, limit, remaining, retry, delay, reset }
    if allowed then
      note(algorithm, after)
      if not tightest or remaining < tightest[3] then tightest = one end
      delay_us = max(delay_us, delay)
    else
      if not refused or refused[4] ~= NEVER and (retry == NEVER or retry > refused[4]) then refused = one end
      if after then
        set_back = set_back or {}
        set_back[#set_back + 1] = { algorithm.size, where, after }
      end
    end
  end
end

if refused then
  -- The clock was set back: a refusal writes only so that the state goes on from the new time.
  if set_back and what == 'take' then
    for _, one in ipairs(set_back) do
      local size, where, after = unpack(one, 1, 3)
      if size then
        value = value:sub(1, where - 1) .. after .. value:sub(where + size)
        write_packed(value)
      else
        after()
      end
    end
  end
  return refused
end
if what ~= 'peek' then
  if #packed > 0 then write_packed(table.concat(packed)) end
  for _, add in ipairs(logs) do add() end
end
if what == 'charge' then return 1 end
tightest[5] = delay_us
return tightest
