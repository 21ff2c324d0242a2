-- State: level in units, time in µs. See token_bucket.py.
do
  local function level_at(state, at, refill, capacity)
    if not state then return capacity, false end
    local level, then_us = unpack_from('<i8i8', state, at)
    if now < then_us then return level, true end
    return min(capacity, level + (now - then_us) * refill), false
  end

  algorithms.token_bucket = {
    size = 16,
    take = function(state, at, cost, limit, max_debt, refill, unit)
      local capacity, need = limit * unit, cost * unit
      local level, is_behind = level_at(state, at, refill, capacity)
      if level >= need then
        level = level - need
        return true, floor(level / unit), 0, 0, -floor((level - capacity) / refill), pack('<i8i8', level, now)
      end
      local retry = need > capacity and NEVER or -floor((level - need) / refill)
      return false, max(0, floor(level / unit)), retry, 0, -floor((level - capacity) / refill),
        is_behind and pack('<i8i8', level, now)
    end,
    charge = function(state, at, extra, limit, max_debt, refill, unit)
      local level = level_at(state, at, refill, limit * unit) - extra * unit
      return pack('<i8i8', max(level, -max_debt * unit), now)
    end,
  }
end
