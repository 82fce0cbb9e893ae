import { readScript, unlessMissing, writeScript } from "./lua.js";

/**
 * A page of the feed of one tag. KEYS: feed. ARGV: 3 `at` with 4 a time, or `after` with 4 the number of the entry that was
 * read last (empty: none), 5 limit. Where that entry is not there, it was deleted, or a failover lost it and perhaps put
 * others in its place: then everything is given.
 * @returns the number of the last entry that there is (empty for none), then number and the five values of each.
 */
export const readFeed = readScript(
  unlessMissing("ARGV[1], now, ''"),
  String.raw`
local limit, found = tonumber(ARGV[5]), nil
if ARGV[3] == 'at' then
  found = redis.call('XRANGE', KEYS[1], ARGV[4], '+', 'COUNT', limit)
elseif ARGV[4] ~= '' then
  local last = ARGV[4] .. '-1'
  local from = redis.call('XRANGE', KEYS[1], last, '+', 'COUNT', limit + 1)
  if from[1] and from[1][1] == last then
    table.remove(from, 1)
    found = from
  end
end
found = found or redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', limit)
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local answer = { ARGV[1], now, newest and string.match(newest[1], '^%d+') or '' }
for _, entry in ipairs(found) do
  local f = entry[2]
  for _, value in ipairs({ string.match(entry[1], '^%d+'), f[2], f[4], f[6], f[8], f[10] }) do
    answer[#answer + 1] = value
  end
end
return answer`,
);

/** KEYS: feed. ARGV: 4 a time, 5 limit. @returns how many entries are older, at most the limit. */
export const countEntries = readScript(String.raw`
return { ARGV[1], now, #redis.call('XRANGE', KEYS[1], '-', '(' .. ARGV[4] .. '-1', 'COUNT', ARGV[5]) }`);

/** KEYS: feed. ARGV: 4 a time, 5 limit. @returns how many older entries were deleted. */
export const deleteEntries = writeScript(String.raw`
local old = redis.call('XRANGE', KEYS[1], '-', '(' .. ARGV[4] .. '-1', 'COUNT', ARGV[5])
for _, entry in ipairs(old) do redis.call('XDEL', KEYS[1], entry[1]) end
return { ARGV[1], now, #old }`);
