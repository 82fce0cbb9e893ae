import { readScript, rows, writeScript } from "./lua.js";

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

/** KEYS: counts, hours. ARGV: counts from 3 on as hour and name, and the number to add. */
export const addCounts = writeScript(String.raw`
for i = 3, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[i])
end
return { ARGV[1], now }`);

/** KEYS: counts, hours. ARGV: 3 where it begins, 4 where it ends, 5 limit. @returns hours with names, and numbers. */
export const listCounts = readScript(String.raw`
local answer = { ARGV[1], now }
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])) do
  answer[#answer + 1] = member
  answer[#answer + 1] = redis.call('HGET', KEYS[1], member)
end
return answer`);

/** KEYS: counts, hours. ARGV: 3 where it ends, 4 limit. @returns how many were deleted. */
export const deleteCounts = writeScript(String.raw`
local members = redis.call('ZRANGEBYLEX', KEYS[2], '-', ARGV[3], 'LIMIT', 0, ARGV[4])
for _, member in ipairs(members) do
  redis.call('HDEL', KEYS[1], member)
  redis.call('ZREM', KEYS[2], member)
end
return { ARGV[1], now, #members }`);
