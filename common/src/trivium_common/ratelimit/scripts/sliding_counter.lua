-- State: number of the period, its count, the count of the one before. See sliding_counter.py.
do
  local function roll(state, at, index)
    if not state then return 0, 0, false end
    local then_index, count, previous = unpack_from('<i8i8i8', state, at)
    local passed = index - then_index
    if passed <= 0 then return count, previous, passed < 0 end
    return 0, passed == 1 and count or 0, false
  end

  local function wait(count, previous, elapsed, below, period, tick)
    if previous * (period - elapsed) + count * period < below * period then return 0 end
    local at = period
    if count < below then
      at = min(period, floor(period * (previous + count - below) / previous) + 1)
    else
      at = period + floor(period * (count - below) / count) + 1
    end
    return (at - elapsed) * tick - now % tick
  end

  algorithms.sliding_counter = {
    size = 24,
    take = function(state, at, cost, limit, max_debt, period, tick)
      local ticks = floor(now / tick)
      local index = floor(ticks / period)
      local elapsed = ticks - index * period
      local count, previous, is_behind = roll(state, at, index)
      local left = limit - floor((previous * (period - elapsed) + count * period) / period)
      if left >= cost then
        count = count + cost
        local reset = wait(count, previous, elapsed, 1, period, tick)
        return true, left - cost, 0, 0, reset, pack('<i8i8i8', index, count, previous)
      end
      local retry = cost > limit and NEVER or wait(count, previous, elapsed, limit - cost + 1, period, tick)
      local reset = wait(count, previous, elapsed, 1, period, tick)
      return false, max(0, left), retry, 0, reset, is_behind and pack('<i8i8i8', index, count, previous)
    end,
    charge = function(state, at, extra, limit, max_debt, period, tick)
      local index = floor(floor(now / tick) / period)
      local count, previous = roll(state, at, index)
      return pack('<i8i8i8', index, max(count, min(count + extra, limit + max_debt)), previous)
    end,
  }
end
