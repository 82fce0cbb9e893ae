import { readScript, rows, unlessMissing, writeScript } from "./lua.js";
import { outbox, trail } from "./trail.js";

/** KEYS: events, trail. ARGV: events from 4 on as key, count and JSON. */
export const appendEvents = writeScript(
  rows,
  trail,
  String.raw`
append_all(4, #ARGV)
return { ARGV[1], now }`,
);

/**
 * Events of one index of the trail, newest first. KEYS: trail, events. ARGV: 4 what its places begin with, 5 what the place
 * ends with after which it begins (empty: from the newest on), 6 limit.
 * @returns key, and count and JSON of each.
 */
export const listEvents = readScript(String.raw`
local from = ARGV[5] == '' and '(' .. ARGV[4] .. ':' or '(' .. ARGV[4] .. ARGV[5]
local answer = { ARGV[1], now }
for _, member in ipairs(redis.call('ZREVRANGEBYLEX', KEYS[1], from, '[' .. ARGV[4], 'LIMIT', 0, ARGV[6])) do
  local key = string.match(member, '^.*%z(.*)$')
  answer[#answer + 1] = key
  answer[#answer + 1] = redis.call('HGET', KEYS[2], key)
end
return answer`);

/** KEYS: trail. ARGV: 4 the place of a time, 5 limit. @returns how many events are older, at most the limit. */
export const countEvents = readScript(String.raw`
return { ARGV[1], now,
  math.min(tonumber(ARGV[5]), redis.call('ZLEXCOUNT', KEYS[1], '[g\0', '(g\0' .. ARGV[4])) }`);

/** KEYS: trail, events. ARGV: 4 the place of a time, 5 limit. @returns how many older events were deleted. */
export const deleteEvents = writeScript(
  rows,
  trail,
  String.raw`
local members = redis.call('ZRANGEBYLEX', KEYS[1], '[g\0', '(g\0' .. ARGV[4], 'LIMIT', 0, ARGV[5])
for _, member in ipairs(members) do
  local key = string.match(member, '^.*%z(.*)$')
  drop(key, string.match(redis.call('HGET', KEYS[2], key), '^%d+ (.*)$'))
end
return { ARGV[1], now, #members }`,
);

/** KEYS: due. ARGV: 4 how many to leave out, 5 limit. @returns queues whose heads are due, and since when, the longest first. */
export const listDue = readScript(
  unlessMissing("ARGV[1], now"),
  String.raw`
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now), 'WITHSCORES', 'LIMIT', ARGV[4], ARGV[5])
return { ARGV[1], now, unpack(due) }`,
);

/**
 * Claims the heads of queues that are still due. KEYS: outbox, queues, due. ARGV: 4 until when, queues from 5 on.
 * @returns since when it was due, destination, key, count, JSON and state of each that was.
 */
export const takeOutbox = writeScript(
  rows,
  outbox,
  String.raw`
local answer = { ARGV[1], now }
for i = 5, #ARGV do
  local since = redis.call('ZSCORE', KEYS[3], ARGV[i])
  if since and tonumber(since) <= now then
    redis.call('ZADD', KEYS[3], ARGV[4], ARGV[i])
    local entry = head(ARGV[i])
    for _, value in ipairs({ since, entry.destination, entry.key, entry.count, entry.json, entry.state }) do
      answer[#answer + 1] = value
    end
  end
end
return answer`,
);

/**
 * KEYS: outbox, queues, due. ARGV: 4 destination, a blank and key, 5 kind of settlement, 6 when it is due, 7 state.
 * @returns whether there is such an entry.
 */
export const settleOutbox = writeScript(
  rows,
  outbox,
  String.raw`
local entry = entry_of(ARGV[4])
if not entry then return { ARGV[1], now, 0 } end
if ARGV[5] == 'delivered' then
  discard(entry)
  return { ARGV[1], now, 1 }
end
local mark = ARGV[5] == 'dead' and 'd' or 'q'
if mark ~= entry.mark then step_out(entry) end
entry.mark, entry.state = mark, ARGV[7]
keep(entry)
if mark == 'q' and head(entry.queue).name == entry.name then redis.call('ZADD', KEYS[3], ARGV[6], entry.queue) end
return { ARGV[1], now, 1 }`,
);

/**
 * KEYS: queues, outbox, due. ARGV: 4 mark of the entries, 5 after which place (empty: from the first on), 6 limit.
 * @returns place, when it is due, destination, key, count, JSON and state of each.
 */
export const listOutbox = readScript(
  unlessMissing("ARGV[1], now"),
  rows,
  outbox,
  String.raw`
local answer = { ARGV[1], now }
local from = ARGV[5] == '' and '[' .. ARGV[4] or '(' .. ARGV[5]
local to = '(' .. string.char(string.byte(ARGV[4]) + 1)
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], from, to, 'LIMIT', 0, ARGV[6])) do
  local entry = entry_of(string.match(member, '^.*%z(.*)$'))
  local due = entry.mark == 'q' and redis.call('ZSCORE', KEYS[3], entry.queue) or entry.event[1]
  for _, value in ipairs({ member, due, entry.destination, entry.key, entry.count, entry.json, entry.state }) do
    answer[#answer + 1] = value
  end
end
return answer`,
);

/** KEYS: queues. ARGV: 4 the place of a time, 5 limit. @returns how many dead entries are older, at most the limit. */
export const countDead = readScript(String.raw`
return { ARGV[1], now,
  math.min(tonumber(ARGV[5]), redis.call('ZLEXCOUNT', KEYS[1], '[d\0', '(d\0' .. ARGV[4])) }`);

/** KEYS: queues, outbox. ARGV: 4 the place of a time, 5 limit. @returns how many older dead entries were deleted. */
export const deleteDead = writeScript(
  rows,
  outbox,
  String.raw`
local members = redis.call('ZRANGEBYLEX', KEYS[1], '[d\0', '(d\0' .. ARGV[4], 'LIMIT', 0, ARGV[5])
for _, member in ipairs(members) do discard(entry_of(string.match(member, '^.*%z(.*)$'))) end
return { ARGV[1], now, #members }`,
);
