import { ending, feeds, readScript, rows, unlessMissing, writeScript } from "./lua.js";
import { trail } from "./trail.js";

/**
 * Ends sessions by id. KEYS: ids, feed, events, trail. ARGV: 4 reason, 5 detail, 6 tenant (behind `=`), 7 limit, ids from
 * 8 on.
 * @returns references to those that were live.
 */
export const revokeIds = writeScript(
  rows,
  trail,
  feeds,
  ending,
  String.raw`
local found, seen = {}, {}
for i = 8, #ARGV do
  if #found == tonumber(ARGV[7]) then break end
  local row = not seen[ARGV[i]] and read(ARGV[i])
  seen[ARGV[i]] = true
  if row and live(row) and (ARGV[6] == '' or ARGV[6] == '=' .. row.tenant) then found[#found + 1] = row end
end
local last = prepare_end(found)
finish(found, ARGV[4], ARGV[5] ~= '' and ARGV[5], last)
return refer({ ARGV[1], now }, found)`,
);

/**
 * Ends the sessions of an index: of a user, or so many of a user or a tenant. KEYS: index, ids, feed, events, trail. ARGV: 4 reason,
 * 5 detail, 6 tenant, 7 a session that stays, 8 where it begins, 9 limit (-1 for none), 10 user (behind `=`, or empty for any).
 * @returns whether there may be more, the last id that was looked at, and references to those that were live.
 */
export const revokeIndex = writeScript(
  unlessMissing("ARGV[1], now, 0, ''"),
  rows,
  trail,
  feeds,
  ending,
  String.raw`
local after, limit = ARGV[8], tonumber(ARGV[9])
local ids = redis.call('ZRANGEBYLEX', KEYS[1], after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit)
local found = {}
for _, id in ipairs(ids) do
  local row = id ~= ARGV[7] and read(id)
  if row and row.tenant == ARGV[6] and (ARGV[10] == '' or ARGV[10] == '=' .. row.user) and live(row) then found[#found + 1] = row end
end
local last = prepare_end(found)
finish(found, ARGV[4], ARGV[5] ~= '' and ARGV[5], last)
return refer({ ARGV[1], now, #ids == limit and 1 or 0, ids[#ids] or after }, found)`,
);

/**
 * KEYS: user, over, ids, sweep, feed, events, trail, outbox, queues, due. ARGV: 4 tenant, 5 user, 6 how many of each kind.
 * @returns how many rows and events were deleted, and references to the sessions that were live.
 */
export const eraseUser = writeScript(
  rows,
  trail,
  feeds,
  ending,
  String.raw`
local found, ended, events, entries = {}, {}, {}, {}
local limit = tonumber(ARGV[6])
for index = 1, 2 do
  for _, id in ipairs(redis.call('ZRANGE', KEYS[index], 0, -1)) do
    if #found == limit then break end
    local row = read(id)
    if row and row.tenant == ARGV[4] and row.user == ARGV[5] then
      found[#found + 1] = row
      if live(row) then ended[#ended + 1] = row end
    end
  end
end
local own = 'u' .. short(ARGV[5])
for _, member in ipairs(redis.call('ZRANGEBYLEX', P .. 'trail', '[' .. own .. '\0', '(' .. own .. '\1')) do
  if #events == limit then break end
  local key = string.match(member, '^.*%z(.*)$')
  local event = redis.call('HGET', P .. 'events', key)
  local json = string.match(event, '^%d+ (.*)$')
  local facts = cjson.decode(json)
  if facts[3] == ARGV[4] and facts[4] == ARGV[5] then events[#events + 1] = { key, json } end
end
for _, member in ipairs(redis.call('ZRANGEBYLEX', P .. 'queues', '[' .. own .. '\0', '(' .. own .. '\1')) do
  if #entries == limit then break end
  local entry = entry_of(string.match(member, '^.*%z(.*)$'))
  if entry.event[3] == ARGV[4] and entry.event[4] == ARGV[5] then entries[#entries + 1] = entry end
end
local last = prepare_end(found)
for _, row in ipairs(found) do
  redis.call('DEL', P .. 's:' .. row.id)
  redis.call('ZREM', P .. 'sweep', row.id)
  redis.call('ZREM', index('o', row.user), row.id)
  leave(row)
end
for _, event in ipairs(events) do drop(event[1], event[2]) end
for _, entry in ipairs(entries) do discard(entry) end
tell('feed', last, ended, 'reason', 'erased')
return refer({ ARGV[1], now, #found, #events }, ended)`,
);

/** KEYS: sweep. ARGV: 4 before, 5 limit. @returns how many rows the sweep has to look at, at most the limit. */
export const countExpired = readScript(String.raw`
return { ARGV[1], now, math.min(tonumber(ARGV[5]), redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[4])) }`);

/**
 * Looks at the next rows of the sweep: deletes those that expired, files the others under the end they have by now. KEYS:
 * sweep, ids, events, trail. ARGV: 4 before, 5 limit. @returns how many were deleted, and of
 * each that had not ended its tenant and how it ended.
 */
export const sweep = writeScript(
  rows,
  trail,
  String.raw`
local before = tonumber(ARGV[4])
local found, gone = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'sweep', '-inf', ARGV[4], 'LIMIT', 0, ARGV[5])) do
  local row = read(id)
  if row then
    found[#found + 1] = row
    touch_indexes(row)
  else
    gone[#gone + 1] = id
  end
end
local deleted, answer = 0, { ARGV[1], now, 0 }
for _, row in ipairs(found) do
  if tonumber(row.expires) <= before then
    deleted = deleted + 1
    if row.ended == '-' then
      local at, how = row.expires, 'expired'
      if tonumber(row.idle) < tonumber(row.expires) then at, how = row.idle, 'idle' end
      session_ended(row, at, how)
      answer[#answer + 1] = row.tenant
      answer[#answer + 1] = how
    end
    redis.call('DEL', P .. 's:' .. row.id)
    redis.call('ZREM', P .. 'sweep', row.id)
    redis.call('ZREM', index('o', row.user), row.id)
    leave(row)
  else
    row.sweep = row.expires
    redis.call('HSET', P .. 's:' .. row.id, 'v', packed(row))
    redis.call('ZADD', P .. 'sweep', row.sweep, row.id)
  end
end
for _, id in ipairs(gone) do redis.call('ZREM', P .. 'sweep', id) end
answer[3] = deleted
return answer`,
);
