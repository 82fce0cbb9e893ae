import { readScript, rows, trail, unlessMissing, writeScript } from "./lua.js";

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

/**
 * A page of the feed of one tag. KEYS: feed. ARGV: 3 `at` with 4 a time, or `after` with 4 the number of the entry that was
 * read last (empty: none), 5 limit. Where that entry is not there, it was deleted, or a failover lost it and perhaps put
 * others in its place: then everything is given.
 * @returns the number of the last entry that there is (empty for none), then number, id, tenant, user, at and reason of each.
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
export const countRevocations = readScript(String.raw`
return { ARGV[1], now, #redis.call('XRANGE', KEYS[1], '-', '(' .. ARGV[4] .. '-1', 'COUNT', ARGV[5]) }`);

/** KEYS: feed. ARGV: 4 a time, 5 limit. @returns how many older entries were deleted. */
export const deleteRevocations = writeScript(String.raw`
local old = redis.call('XRANGE', KEYS[1], '-', '(' .. ARGV[4] .. '-1', 'COUNT', ARGV[5])
for _, entry in ipairs(old) do redis.call('XDEL', KEYS[1], entry[1]) end
return { ARGV[1], now, #old }`);

/** KEYS: schema. @returns the epoch of the store, which its cursors carry, if it has one. */
export const readEpoch = readScript("return { ARGV[1], now, redis.call('HGET', KEYS[1], 'epoch') }");

/** KEYS: schema. @returns its fields and values. */
export const readSchema = readScript(String.raw`
local answer = { ARGV[1], now }
for _, text in ipairs(redis.call('HGETALL', KEYS[1])) do answer[#answer + 1] = text end
return answer`);

/** KEYS: schema. ARGV: 3 an epoch for a store that has none, versions from 4 on as number and oldest that can still read it. */
export const migrate = writeScript(String.raw`
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[3])
for i = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[1], 'version:' .. ARGV[i], ARGV[i + 1]) end
return { ARGV[1], now }`);

/** KEYS: a key of the tag. A write that needs memory, so that it tells whether the node can be written. */
export const ping = writeScript(String.raw`
redis.call('SET', KEYS[1], '1', 'PX', 1000)
return { ARGV[1], now }`);

/** KEYS: keys, sealed. @returns the public facts of each key as JSON, and its private half. */
export const getSigningKeys = readScript(String.raw`
local answer, facts = { ARGV[1], now }, redis.call('HGETALL', KEYS[1])
for i = 1, #facts, 2 do
  answer[#answer + 1] = facts[i + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[2], facts[i])
end
return answer`);

/**
 * KEYS: keys, sealed. ARGV: 3 the newest key of the algorithm and kind (behind `=`, or empty for none), 4 facts as JSON,
 * 5 the private half. @returns whether it was added.
 */
export const addSigningKey = writeScript(
  rows,
  String.raw`
local record, newest = cjson.decode(ARGV[4]), nil
for _, json in ipairs(redis.call('HVALS', KEYS[1])) do
  local key = cjson.decode(json)
  if key.algorithm == record.algorithm and key.kind == record.kind and (not newest or newest.createdAt < key.createdAt
    or (newest.createdAt == key.createdAt and less(newest.kid, key.kid))) then newest = key end
end
if (newest and '=' .. newest.kid or '') ~= ARGV[3] or redis.call('HEXISTS', KEYS[1], record.kid) == 1 then
  return { ARGV[1], now, 0 }
end
redis.call('HSET', KEYS[2], record.kid, ARGV[5])
redis.call('HSET', KEYS[1], record.kid, ARGV[4])
return { ARGV[1], now, 1 }`,
);

/** KEYS: keys, sealed. ARGV: ids of keys from 3 on. */
export const deleteSigningKeys = writeScript(String.raw`
for i = 3, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('HDEL', KEYS[2], ARGV[i])
end
return { ARGV[1], now }`);

/** KEYS: a hash. ARGV: 3 field, 4 the value it must have, 5 the value it gets. @returns whether it had it. */
export const replaceField = writeScript(String.raw`
if redis.call('HGET', KEYS[1], ARGV[3]) ~= ARGV[4] then return { ARGV[1], now, 0 } end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[5])
return { ARGV[1], now, 1 }`);

/** KEYS: meta. ARGV: 3 name. @returns its value if it has one. */
export const readMeta = readScript("return { ARGV[1], now, redis.call('HGET', KEYS[1], ARGV[3]) }");

/** KEYS: meta, names. ARGV: 3 name, 4 the value it gets when it has none. @returns the value that stands. */
export const claimMeta = writeScript(String.raw`
if redis.call('HSETNX', KEYS[1], ARGV[3], ARGV[4]) == 1 then redis.call('ZADD', KEYS[2], 0, ARGV[3]) end
return { ARGV[1], now, redis.call('HGET', KEYS[1], ARGV[3]) }`);

/** KEYS: meta, names. ARGV: 3 prefix, 4 the name after which it begins (behind `=`), 5 limit. @returns names and values. */
export const listMeta = readScript(String.raw`
local from = ARGV[4] == '' and '[' .. ARGV[3] or '(' .. string.sub(ARGV[4], 2)
local answer = { ARGV[1], now }
for _, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], from, '[' .. ARGV[3] .. '\255', 'LIMIT', 0, ARGV[5])) do
  answer[#answer + 1] = name
  answer[#answer + 1] = redis.call('HGET', KEYS[1], name)
end
return answer`);
