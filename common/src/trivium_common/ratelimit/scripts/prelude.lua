-- One call decides for one key, and Redis runs one script at a time: nothing can come between the reading
-- and the writing. All figures are whole numbers below 2^52, which doubles hold exactly.
--
-- KEYS     1: packed states of all windows but logs, one after the other; 2..: one list for each log
-- ARGV     now (µs; empty: Redis's own clock, only tests say otherwise), what to do (take, peek, charge),
--          cost, time to live in ms; packed for each window: limit, max_debt and the kind's two figures
local NEVER = -1
local floor, max, min = math.floor, math.max, math.min
local pack, unpack_from = struct.pack, struct.unpack
local algorithms = {}

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
