import { NEVER } from "@pawl/storage";
import { ending, feed, readScript, rows, trail, unlessMissing, writeScript } from "./lua.js";

/** KEYS: session. @returns the fields of the row. */
export const getSession = readScript(String.raw`
local row = redis.call('HMGET', KEYS[1], 'v', 'h', 't', 'u', 'x', 'p', 'd')
if not row[1] then return { ARGV[1], now } end
return { ARGV[1], now, row[1], row[2], row[3], row[4], row[5], row[6], row[7] }`);

/**
 * The ordinary mint of a refresh. KEYS: session, and the sweep's index where the end of the row moves forward: without it
 * that answers `sweep` and changes nothing. One key is what is there also while a slot moves to another node.
 * ARGV: 3 seq, 4 iat, 5 secret hash, 6 window, 7 validity, 8 idle timeout, 9 absolute timeout, 10 kind of key, 11 id.
 * @returns whether it minted, and the fields of the row.
 */
export const rotate = writeScript(String.raw`
local row = redis.call('HMGET', KEYS[1], 'v', 'h', 't', 'u', 'x', 'p', 'd')
if not row[1] then return { ARGV[1], now } end
local current, next, issued, kind, created, active, expires, idle, sweep, ended =
  string.match(row[1], '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
local minted = 0
if ended == '-' and now < tonumber(expires) and now < tonumber(idle) and row[2] == ARGV[5] then
  local c, n, i = tonumber(current), tonumber(next), tonumber(issued)
  local seq, iat, window = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
  local fresh = window > 0 and (now - i <= window or (seq == n and now - iat <= window))
  local ours = seq == c or seq == n or (c < seq and seq < n and window > 0 and i - iat <= window)
  if seq <= n and ours and not fresh then
    local ends = now + tonumber(ARGV[7])
    if ARGV[9] ~= '' then ends = math.min(ends, tonumber(created) + tonumber(ARGV[9])) end
    if ends < tonumber(sweep) then
      if not KEYS[2] then return { ARGV[1], now, 'sweep' } end
      sweep = string.format('%d', ends)
      redis.call('ZADD', KEYS[2], sweep, ARGV[11])
    end
    local idles = ARGV[8] == '' and '${String(NEVER)}' or string.format('%d', now + tonumber(ARGV[8]))
    if ARGV[10] ~= '' then kind = ARGV[10] end
    row[1] = string.format('%s %d %d %s %s %s %d %s %s - -', ARGV[3], n + 1, now, kind, created, active, ends, idles, sweep)
    redis.call('HSET', KEYS[1], 'v', row[1])
    minted = 1
  end
end
return { ARGV[1], now, minted, row[1], row[2], row[3], row[4], row[5], row[6], row[7] }`);

/**
 * A compare-and-set. KEYS: session; ids, sweep, feed, events and trail for an end; events and trail for a
 * fast-forward. ARGV: 3 prefix, 4 id, 5 current, 6 next, 7 kind of change; for `fast_forward` 8 seq, 9 current, 10 issued and events from 11 on; for `end` 8 scope, 9 reason and events from 10 on.
 * @returns the fields of the row, and the sessions that ended; nothing for a conflict.
 */
export const applyRotation = writeScript(
  rows,
  trail,
  feed,
  ending,
  String.raw`
local id, change = ARGV[4], ARGV[7]
local row = read(id)
if not row or not live(row) or row.current ~= ARGV[5] or row.next ~= ARGV[6] then return { ARGV[1], now } end
local ended = {}
if change == 'end' then
  if ARGV[8] == 'user' then
    for _, other in ipairs(redis.call('ZRANGE', index('u', row.user), 0, -1)) do
      local found = read(other)
      if found and found.tenant == row.tenant and found.user == row.user and live(found) then ended[#ended + 1] = found end
    end
  else
    ended[1] = row
  end
  local last = prepare_end(ended)
  finish(ended, ARGV[9], nil, last)
  append_all(10, #ARGV)
else
  row.next, row.current, row.issued = ARGV[8], ARGV[9], ARGV[10]
  append_all(11, #ARGV)
  redis.call('HSET', KEYS[1], 'v', packed(row))
end
local fields = redis.call('HMGET', KEYS[1], 'v', 'h', 't', 'u', 'x', 'p', 'd')
return refer({ ARGV[1], now, fields[1], fields[2], fields[3], fields[4], fields[5], fields[6], fields[7] }, ended)`,
);

/** KEYS: session. ARGV: 4 id, 5 seq, 6 iat, 7 window, 8 idle timeout, 9 activity interval. @returns the fields of the row after it. */
export const reportUse = writeScript(
  rows,
  String.raw`
local found = redis.call('HMGET', KEYS[1], 'v', 'h', 't', 'u', 'x', 'p', 'd')
if not found[1] then return { ARGV[1], now } end
local row = parse({}, found[1])
if not live(row) then return { ARGV[1], now } end
local seq, iat, window = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local bypassed = seq < tonumber(row.next) and window > 0 and tonumber(row.issued) - iat > window
local confirms = tonumber(row.current) < seq and (window == 0 or now - iat > window)
  and (seq == tonumber(row.next) or bypassed)
local moves = now - tonumber(row.active) >= tonumber(ARGV[9])
if confirms then row.current = row.next end
if moves then
  row.active = text(now)
  row.idle = ARGV[8] == '' and '${String(NEVER)}' or text(now + tonumber(ARGV[8]))
end
if confirms or moves then
  found[1] = packed(row)
  redis.call('HSET', KEYS[1], 'v', found[1])
end
return { ARGV[1], now, found[1], found[2], found[3], found[4], found[5], found[6], found[7] }`,
);

/** KEYS: session. ARGV: 4 field, 5 value. @returns whether there was a live session. */
export const update = writeScript(
  rows,
  String.raw`
local v = redis.call('HGET', KEYS[1], 'v')
if not v or not live(parse({}, v)) then return { ARGV[1], now, 0 } end
redis.call('HSET', KEYS[1], ARGV[4], ARGV[5])
return { ARGV[1], now, 1 }`,
);

/** Inserts a row from ARGV[first…]: id, ended (1 or 0), sweep, and the fields. */
const insert = String.raw`
local function insert(first)
  local id, over, sweep, tenant, user = ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 5], ARGV[first + 6]
  local key = P .. 's:' .. id
  redis.call('HSET', key, 'v', ARGV[first + 3], 'h', ARGV[first + 4], 't', tenant, 'u', user, 'p', ARGV[first + 8],
    'd', ARGV[first + 9])
  if ARGV[first + 7] ~= '' then redis.call('HSET', key, 'x', ARGV[first + 7]) end
  redis.call('ZADD', P .. 'sweep', sweep, id)
  if over == '1' then
    redis.call('ZADD', index('o', user), 0, id)
  else
    redis.call('ZADD', P .. 'ids', 0, id)
    redis.call('ZADD', index('u', user), 0, id)
    if tenant ~= 'public' then redis.call('ZADD', index('t', tenant), 0, id) end
  end
end`;

/**
 * KEYS: session, ids, sweep, user, feed, events, trail. ARGV: 4 session limit, the row from 5 on.
 * @returns whether it was inserted, and the sessions ended for the limit.
 */
export const createSession = writeScript(
  rows,
  trail,
  feed,
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
  for i = 1, #others + 1 - tonumber(ARGV[4]) do surplus[i] = others[i] end
end
touch_indexes({ tenant = tenant, user = user })
local last = prepare_end(surplus)
insert(5)
finish(surplus, 'session_limit', nil, last)
return refer({ ARGV[1], now, 1 }, surplus)`,
);

/** KEYS: ids, sweep. ARGV: rows from 4 on, ten values each. @returns for each whether it was inserted. */
export const importSessions = writeScript(
  rows,
  insert,
  String.raw`
for i = 4, #ARGV, 10 do
  touch(P .. 's:' .. ARGV[i])
  touch_indexes({ tenant = ARGV[i + 5], user = ARGV[i + 6] })
end
local answer = { ARGV[1], now }
for i = 4, #ARGV, 10 do
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
