-- State: number of the period, count. See fixed_window.py.
do
  local function count_in(state, at, index, limit)
    if not state then return 0, false end
    local then_index, count = unpack_from('<i8i8', state, at)
    local passed = index - then_index
    return passed > 0 and max(0, count - passed * limit) or count, passed < 0
  end

  algorithms.fixed_window = {
    size = 16,
    take = function(state, at, cost, limit, max_debt, period)
      local index = floor(now / period)
      local elapsed = now - index * period
      local count, is_behind = count_in(state, at, index, limit)
      local total = count + cost
      if total <= limit then
        return true, limit - total, 0, 0, period - elapsed, pack('<i8i8', index, total)
      end
      local retry = cost > limit and NEVER or -floor((limit - total) / limit) * period - elapsed
      local reset = -floor(-count / limit) * period - elapsed
      return false, max(0, limit - count), retry, 0, max(0, reset), is_behind and pack('<i8i8', index, count)
    end,
    charge = function(state, at, extra, limit, max_debt, period)
      local index = floor(now / period)
      local count = count_in(state, at, index, limit)
      return pack('<i8i8', index, min(count + extra, limit + max_debt))
    end,
  }
end
