import { createHash } from "node:crypto";

/** One operation of the store: a Lua script that the server runs as one atomic step. */
export interface Script {
  readonly source: string;
  /** SHA-1 of the source, by which the server knows it. */
  readonly sha: string;
  readonly writes: boolean;
}

/**
 * A script from pieces. Every one answers `{ARGV[1], now, …}`: the number of the call, so that an answer that belongs to
 * another call is noticed, and the time. ARGV[2] is the time where the clock is injected.
 */
const scriptOf = (writes: boolean, pieces: readonly string[]): Script => {
  const source = [time, ...pieces].join("\n");
  return { source, sha: createHash("sha1").update(source).digest("hex"), writes };
};

export const readScript = (...pieces: readonly string[]): Script => scriptOf(false, pieces);

/**
 * Redis undoes nothing when a script fails in its middle, and it can fail wherever it touches a key: one that has moved to
 * another node of the cluster, say. So each of these touches every key before it writes the first.
 */
export const writeScript = (...pieces: readonly string[]): Script => scriptOf(true, pieces);

const time = String.raw`
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end`;

/** Answers at once where KEYS[1] does not exist, as in most of the tags that a page of a small store asks. */
export const unlessMissing = (answer: string): string =>
  `if redis.call('EXISTS', KEYS[1]) == 0 then return { ${answer} } end`;

/** Reading and writing rows. ARGV[3] is what every key of the tag begins with. */
export const rows = String.raw`
local P = ARGV[3]

-- Long texts by their digest, so that names of keys and places are bounded; who looks there compares the text itself.
local function short(text)
  if #text <= 100 then return text end
  return '\1' .. redis.sha1hex(text)
end

local function index(letter, text) return P .. letter .. ':' .. short(text) end

local function parse(row, v)
  row.current, row.next, row.issued, row.kind, row.created, row.active, row.expires, row.idle, row.sweep, row.ended,
    row.reason = string.match(v, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  return row
end

local function read(id)
  local found = redis.call('HMGET', P .. 's:' .. id, 'v', 't', 'u')
  if not found[1] then return nil end
  return parse({ id = id, tenant = found[2], user = found[3] }, found[1])
end

local function live(row)
  return row.ended == '-' and now < tonumber(row.expires) and now < tonumber(row.idle)
end

local function text(number) return string.format('%d', number) end

local function packed(row)
  return table.concat({ row.current, row.next, row.issued, row.kind, row.created, row.active, row.expires, row.idle,
    row.sweep, row.ended, row.reason }, ' ')
end

-- By bytes: the operator for strings follows the server's locale.
local function less(a, b)
  local length = math.min(#a, #b)
  for i = 1, length do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- Fails where the key has moved to another node.
local function touch(key) redis.call('EXISTS', key) end

local function touch_indexes(row)
  touch(index('u', row.user))
  touch(index('o', row.user))
  if row.tenant ~= 'public' then touch(index('t', row.tenant)) end
end

-- Takes a row that is over, or will not be there any more, from the indexes of those that are not.
local function leave(row)
  redis.call('ZREM', P .. 'ids', row.id)
  redis.call('ZREM', index('u', row.user), row.id)
  if row.tenant ~= 'public' then redis.call('ZREM', index('t', row.tenant), row.id) end
end`;

/** The audit trail: appending and dropping. An event is a count and a JSON array of texts in one hash, and has a place in the trail. */
export const trail = String.raw`
-- A time as text that sorts as the number does.
local function place(at)
  if at < 0 then return '-' .. string.format('%016d', at + 9000000000000000) end
  return string.format('%016d', at)
end

local function places(key, event)
  local tail = '\0' .. place(tonumber(event[1])) .. '\0' .. key
  local found = { 'g' .. tail }
  if event[2] ~= 'session_ended' then found[#found + 1] = 'a' .. tail end
  if event[3] and event[3] ~= 'public' then found[#found + 1] = 't' .. short(event[3]) .. tail end
  if event[4] then found[#found + 1] = 'u' .. short(event[4]) .. tail end
  if event[5] then found[#found + 1] = 's' .. short(event[5]) .. tail end
  return found
end

local function append(key, count, json)
  local events = P .. 'events'
  local found = redis.call('HGET', events, key)
  if found then
    local present, rest = string.match(found, '^(%d+) (.*)$')
    redis.call('HSET', events, key, string.format('%d', present + count) .. ' ' .. rest)
    return
  end
  redis.call('HSET', events, key, count .. ' ' .. json)
  for _, member in ipairs(places(key, cjson.decode(json))) do redis.call('ZADD', P .. 'trail', 0, member) end
end

-- Events as key, count and JSON, from ARGV[first] to ARGV[last].
local function append_all(first, last)
  for i = first, last, 3 do append(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
end

local function session_ended(row, at, reason, detail)
  append('session_ended:' .. row.id, 1,
    cjson.encode({ string.format('%d', at), 'session_ended', row.tenant, row.user, row.id, reason, detail or false }))
end

local function drop(key, json)
  redis.call('HDEL', P .. 'events', key)
  for _, member in ipairs(places(key, cjson.decode(json))) do redis.call('ZREM', P .. 'trail', member) end
end`;

/**
 * The revocation feed of a tag: a stream whose ids are times, each greater than the one before, so that no two entries of a
 * tag ever have the same one, not even when a failover lost some.
 */
export const feed = String.raw`
local function feed_end()
  if redis.call('EXISTS', P .. 'feed') == 0 then return 0 end
  local info = redis.call('XINFO', 'STREAM', P .. 'feed')
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return tonumber(string.match(info[i + 1], '^(%d+)')) end
  end
end

-- Tells of sessions that ended, after the last entry that was there.
local function tell(found, reason, last)
  local at = string.format('%d', now)
  for _, row in ipairs(found) do
    last = math.max(now, last + 1)
    redis.call('XADD', P .. 'feed', string.format('%d-1', last), 'id', row.id, 'tenant', row.tenant, 'user', row.user,
      'at', at, 'reason', reason)
  end
  if #found > 0 then redis.call('PUBLISH', string.match(P, '^([^{]*)') .. 'revoked', '') end
end`;

/** Ending sessions, with what has to be known of it. Needs \`rows\`, \`trail\` and \`feed\`. */
export const ending = String.raw`
-- Before the first write.
local function prepare_end(found)
  for _, row in ipairs(found) do touch_indexes(row) end
  return feed_end()
end

local function finish(found, reason, detail, last)
  for _, row in ipairs(found) do
    row.ended, row.reason = text(now), reason
    redis.call('HSET', P .. 's:' .. row.id, 'v', packed(row), 'p', '{}', 'd', '{}')
    leave(row)
    redis.call('ZADD', index('o', row.user), 0, row.id)
    session_ended(row, now, reason, detail)
  end
  tell(found, reason, last)
end

local function refer(answer, found)
  for _, row in ipairs(found) do
    answer[#answer + 1] = row.id
    answer[#answer + 1] = row.tenant
    answer[#answer + 1] = row.user
  end
  return answer
end`;
