-- State: number of the period, count. See fixed_window.py.
do
  local function count_in(state, at, index, limit)
    if not state then return 0 end
    local then_index, count = unpack_from('<i8i8', state, at)
    local passed = index - then_index
    return passed > 0 and max(0, count - passed * limit) or count
  end

  algorithms.fixed_window = {
    size = 16,
    take = function(state, at, cost, limit, max_debt, period)
      local index = floor(now / period)
      local elapsed = now - index * period
      local count = count_in(state, at, index, limit)
      local total = count + cost
      if total <= limit then
        return true, limit - total, 0, 0, period - elapsed, pack('<i8i8', index, total)
      end
      local retry = cost > limit and NEVER or -floor((limit - total) / limit) * period - elapsed
      local reset = -floor(-count / limit) * period - elapsed
      return false, max(0, limit - count), retry, 0, max(0, reset)
    end,
    charge = function(state, at, extra, limit, max_debt, period)
      local index = floor(now / period)
      return pack('<i8i8', index, min(count_in(state, at, index, limit) + extra, limit + max_debt))
    end,
  }
end
