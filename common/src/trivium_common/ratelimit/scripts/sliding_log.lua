-- State: a list of its own with the time of every unit, oldest first. See sliding_log.py.
do
  local call = redis.call

  local function push(key, at_us, units)
    while units > 0 do
      local times = {}
      for n = 1, min(units, 1000) do times[n] = at_us end
      call('RPUSH', key, unpack(times))
      units = units - #times
    end
  end

  -- Another master's clock may have been ahead: move the log along, or it would bind too long.
  local function move_back(key, ahead, ttl_ms)
    local times = call('LRANGE', key, 0, -1)
    call('DEL', key)
    for _, time in ipairs(times) do call('RPUSH', key, string.format('%.0f', time - ahead)) end
    call('PEXPIRE', key, ttl_ms)
  end

  -- How many of the list's times have left the window.
  local function count_gone(key, length, gone_us)
    if length == 0 or tonumber(call('LINDEX', key, 0)) > gone_us then return 0 end
    local low, high = 1, length
    while low < high do
      local middle = floor((low + high) / 2)
      if tonumber(call('LINDEX', key, middle)) > gone_us then high = middle else low = middle + 1 end
    end
    return low
  end

  -- Times that left the window, times still in it, and how far the newest is ahead of the clock.
  local function look(key, period)
    local length = call('LLEN', key)
    local ahead = length > 0 and max(0, call('LINDEX', key, -1) - now) or 0
    local gone = count_gone(key, length, now - period + ahead)
    return gone, length - gone, ahead
  end

  local function add(key, gone, ahead, units, ttl_ms)
    if gone > 0 then call('LTRIM', key, gone, -1) end
    if ahead > 0 then move_back(key, ahead, ttl_ms) end
    push(key, string.format('%.0f', now), units)
    call('PEXPIRE', key, ttl_ms)
  end

  algorithms.sliding_log = {
    take = function(key, ttl_ms, cost, limit, max_debt, period)
      local gone, used, ahead = look(key, period)
      local total = used + cost
      if total <= limit then
        return true, limit - total, 0, 0, period, function() add(key, gone, ahead, cost, ttl_ms) end
      end
      local until_gone = period - now - ahead
      local retry = cost > limit and NEVER or call('LINDEX', key, gone + total - limit - 1) + until_gone
      local reset = used > 0 and call('LINDEX', key, -1) + until_gone or 0
      local after = ahead > 0 and function() add(key, gone, ahead, 0, ttl_ms) end
      return false, max(0, limit - used), retry, 0, reset, after
    end,
    charge = function(key, ttl_ms, extra, limit, max_debt, period)
      local gone, used, ahead = look(key, period)
      add(key, gone, ahead, max(0, min(extra, limit + max_debt - used)), ttl_ms)
    end,
  }
end
