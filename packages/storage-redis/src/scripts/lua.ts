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

/** The fields of a row, in the order in which scripts give them. */
export const fields = "'v', 'h', 't', 'u', 'x', 'p', 'd', 'f'";

/** Reading and writing rows. ARGV[3] begins with what every key of the tag begins with; further words are not for rows. */
export const rows = String.raw`
local P = string.match(ARGV[3], '^%S+')

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
  local found = redis.call('HMGET', P .. 's:' .. id, 'v', 't', 'u', 'x', 'f')
  if not found[1] then return nil end
  return parse({ id = id, tenant = found[2], user = found[3], x = found[4], f = found[5] }, found[1])
end

-- Link and subject, where there are any: one index holds both, and who looks there compares the text itself.
local function links_of(row)
  local links = {}
  if row.x then
    local extras = cjson.decode(row.x)
    for i = 3, 4 do
      if type(extras[i]) == 'string' then links[#links + 1] = extras[i] end
    end
  end
  return links
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
  for _, link in ipairs(links_of(row)) do touch(index('l', link)) end
end

-- Takes a row that is over, or will not be there any more, from the indexes of those that are not.
local function leave(row)
  redis.call('ZREM', P .. 'ids', row.id)
  redis.call('ZREM', index('u', row.user), row.id)
  if row.tenant ~= 'public' then redis.call('ZREM', index('t', row.tenant), row.id) end
  for _, link in ipairs(links_of(row)) do redis.call('ZREM', index('l', link), row.id) end
end`;

/**
 * The feeds of a tag: `feed` of revocations, `changes` of announced ones. Each is a stream whose ids are times, each greater
 * than the one before, so that no two entries of it ever have the same one, not even when a failover lost some.
 */
export const feeds = String.raw`
local function feed_end(stream)
  if redis.call('EXISTS', P .. stream) == 0 then return 0 end
  local info = redis.call('XINFO', 'STREAM', P .. stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return tonumber(string.match(info[i + 1], '^(%d+)')) end
  end
end

-- Tells of sessions, after the last entry that was there.
local function tell(stream, last, found, name, value)
  local at = string.format('%d', now)
  for _, row in ipairs(found) do
    last = math.max(now, last + 1)
    redis.call('XADD', P .. stream, string.format('%d-1', last), 'id', row.id, 'tenant', row.tenant, 'user', row.user,
      'at', at, name, value)
  end
  if #found > 0 then redis.call('PUBLISH', string.match(P, '^([^{]*)') .. 'revoked', '') end
end`;

/** Ending sessions, with what has to be known of it. Needs \`rows\`, \`trail\` and \`feeds\`. */
export const ending = String.raw`
-- Before the first write.
local function prepare_end(found)
  for _, row in ipairs(found) do touch_indexes(row) end
  return feed_end('feed')
end

local function finish(found, reason, detail, last)
  for _, row in ipairs(found) do
    row.ended, row.reason = text(now), reason
    local key = P .. 's:' .. row.id
    redis.call('HSET', key, 'v', packed(row), 'p', '{}', 'd', '{}')
    if row.f then redis.call('HSET', key, 'f', string.match(row.f, '^%Z*%z%d+ %d+ ') .. '{}') end
    leave(row)
    redis.call('ZADD', index('o', row.user), 0, row.id)
    session_ended(row, now, reason, detail)
  end
  tell('feed', last, found, 'reason', reason)
end

local function refer(answer, found)
  for _, row in ipairs(found) do
    answer[#answer + 1] = row.id
    answer[#answer + 1] = row.tenant
    answer[#answer + 1] = row.user
  end
  return answer
end`;
