-- State: free room in units, time in µs. See leaky_bucket.py.
do
  local function room_at(state, at, refill, capacity)
    if not state then return capacity, false end
    local room, then_us = unpack_from('<i8i8', state, at)
    if now < then_us then return room, true end
    return min(capacity, room + (now - then_us) * refill), false
  end

  algorithms.leaky_bucket = {
    size = 16,
    take = function(state, at, cost, limit, max_debt, refill, unit)
      local capacity, need = limit * unit, cost * unit
      local room, is_behind = room_at(state, at, refill, capacity)
      if room >= need then
        local delay = -floor((room - capacity) / refill)
        room = room - need
        return true, floor(room / unit), 0, delay, -floor((room - capacity) / refill), pack('<i8i8', room, now)
      end
      local retry = need > capacity and NEVER or -floor((room - need) / refill)
      return false, max(0, floor(room / unit)), retry, 0, -floor((room - capacity) / refill),
        is_behind and pack('<i8i8', room, now)
    end,
    charge = function(state, at, extra, limit, max_debt, refill, unit)
      local room = room_at(state, at, refill, limit * unit) - extra * unit
      return pack('<i8i8', max(room, -max_debt * unit), now)
    end,
  }
end
