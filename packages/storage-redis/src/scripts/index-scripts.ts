import { ending, feeds, readScript, rows, unlessMissing, writeScript } from "./lua.js";
import { MOST_ENDED_FOR_LIMIT } from "@pawl/storage";
import { trail } from "./trail.js";

/** Inserts a row from ARGV[first…]: id, ended (1 or 0), sweep, and the fields. */
const insert = String.raw`
local function insert(first)
  local id, over, sweep, tenant, user = ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 5], ARGV[first + 6]
  local key = P .. 's:' .. id
  local x, f = ARGV[first + 7], ARGV[first + 10]
  redis.call('HSET', key, 'v', ARGV[first + 3], 'h', ARGV[first + 4], 't', tenant, 'u', user, 'p', ARGV[first + 8],
    'd', ARGV[first + 9])
  if x ~= '' then redis.call('HSET', key, 'x', x) end
  if f ~= '' then redis.call('HSET', key, 'f', f) end
  redis.call('ZADD', P .. 'sweep', sweep, id)
  if over == '1' then
    redis.call('ZADD', index('o', user), 0, id)
  else
    redis.call('ZADD', P .. 'ids', 0, id)
    redis.call('ZADD', index('u', user), 0, id)
    if tenant ~= 'public' then redis.call('ZADD', index('t', tenant), 0, id) end
    for _, link in ipairs(links_of({ x = x ~= '' and x })) do redis.call('ZADD', index('l', link), 0, id) end
  end
end`;

/**
 * KEYS: session, ids, sweep, user, feed, events, trail. ARGV: 4 session limit, the row from 5 on.
 * @returns whether it was inserted, and the sessions ended for the limit.
 */
export const createSession = writeScript(
  rows,
  trail,
  feeds,
  ending,
  insert,
  String.raw`
if redis.call('EXISTS', KEYS[1]) == 1 then return { ARGV[1], now, 0 } end
local tenant, user = ARGV[10], ARGV[11]
local surplus = {}
if ARGV[4] ~= '' then
  local others = {}
  for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
    local row = read(id)
    if row and row.tenant == tenant and row.user == user and live(row) then
      row.refreshed = math.max(tonumber(row.issued), tonumber(row.created))
      others[#others + 1] = row
    end
  end
  table.sort(others, function(a, b)
    if a.refreshed ~= b.refreshed then return a.refreshed < b.refreshed end
    return less(a.id, b.id)
  end)
  for i = 1, math.min(#others + 1 - tonumber(ARGV[4]), ${MOST_ENDED_FOR_LIMIT}) do surplus[i] = others[i] end
end
touch_indexes({ tenant = tenant, user = user, x = ARGV[12] ~= '' and ARGV[12] })
local last = prepare_end(surplus)
insert(5)
finish(surplus, 'session_limit', nil, last)
return refer({ ARGV[1], now, 1 }, surplus)`,
);

/** KEYS: ids, sweep. ARGV: rows from 4 on, eleven values each. @returns for each whether it was inserted. */
export const importSessions = writeScript(
  rows,
  insert,
  String.raw`
for i = 4, #ARGV, 11 do
  touch(P .. 's:' .. ARGV[i])
  touch_indexes({ tenant = ARGV[i + 5], user = ARGV[i + 6], x = ARGV[i + 7] ~= '' and ARGV[i + 7] })
end
local answer = { ARGV[1], now }
for i = 4, #ARGV, 11 do
  local isNew = redis.call('EXISTS', P .. 's:' .. ARGV[i]) == 0
  if isNew then insert(i) end
  answer[#answer + 1] = isNew and 1 or 0
end
return answer`,
);

/**
 * KEYS: an index of ids. ARGV: 4 where it begins, 5 limit, 6 tenant, 7 user (each behind `=`, or empty for any), 8 `live` or `all`.
 * @returns whether there may be more, the last id that was looked at, and references to sessions.
 */
export const listSessions = readScript(
  unlessMissing("ARGV[1], now, 0, ''"),
  rows,
  String.raw`
local after, limit, looks = ARGV[4], tonumber(ARGV[5]), 1000
local answer, found = { ARGV[1], now, 0, after }, 0
while true do
  local size = math.min(looks, limit - found)
  local ids = redis.call('ZRANGEBYLEX', KEYS[1], after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, size)
  for _, id in ipairs(ids) do
    local row = read(id)
    if row and (ARGV[8] == 'all' or live(row)) and (ARGV[6] == '' or ARGV[6] == '=' .. row.tenant)
      and (ARGV[7] == '' or ARGV[7] == '=' .. row.user) then
      found = found + 1
      answer[#answer + 1] = id
      answer[#answer + 1] = row.tenant
      answer[#answer + 1] = row.user
    end
    after = id
  end
  looks = looks - #ids
  answer[4] = after
  if #ids < size then return answer end
  if found == limit or looks <= 0 then
    answer[3] = 1
    return answer
  end
end`,
);

/** KEYS: an index of ids. @returns how many it holds. */
export const countIndex = readScript("return { ARGV[1], now, redis.call('ZCARD', KEYS[1]) }");
