import { NEVER } from "@pawl/storage";
import { ending, feeds, fields, readScript, rows, writeScript } from "./lua.js";
import { trail } from "./trail.js";

/** KEYS: session. @returns the fields of the row. */
export const getSession = readScript(String.raw`
local row = redis.call('HMGET', KEYS[1], ${fields})
if not row[1] then return { ARGV[1], now } end
return { ARGV[1], now, unpack(row, 1, 8) }`);

/**
 * The ordinary mint of a refresh. KEYS: session, and the sweep's index where the end of the row moves forward: without it
 * that answers `sweep` and changes nothing. One key is what is there also while a slot moves to another node.
 * ARGV: 3 seq, 4 iat, 5 secret hash, 6 window, 7 validity, 8 idle timeout, 9 absolute timeout, 10 kind of key, 11 id,
 * 12 thumbprint of the proof.
 * @returns whether it minted, and the fields of the row.
 */
export const rotate = writeScript(String.raw`
local row = redis.call('HMGET', KEYS[1], ${fields})
if not row[1] then return { ARGV[1], now } end
local current, next, issued, kind, created, active, expires, idle, sweep, ended =
  string.match(row[1], '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
local minted = 0
if ended == '-' and now < tonumber(expires) and now < tonumber(idle) and row[2] == ARGV[5] then
  local c, n, i = tonumber(current), tonumber(next), tonumber(issued)
  local seq, iat, window = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
  local fresh = window > 0 and (now - i <= window or (seq == n and now - iat <= window))
  local ours = seq == c or seq == n or (c < seq and seq < n and window > 0 and i - iat <= window)
  local bound = row[8] and string.byte(row[8]) ~= 0 and string.match(row[8], '^%Z*')
  if seq <= n and ours and not fresh and (not bound or bound == ARGV[12]) then
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
return { ARGV[1], now, minted, unpack(row, 1, 8) }`);

/**
 * A compare-and-set. KEYS: session; ids, sweep, feed, events and trail for an end; events and trail for a
 * fast-forward. ARGV: 4 id, 5 current, 6 next, 7 kind of change; for `fast_forward` 8 seq, 9 current, 10 issued and events
 * from 11 on; for `end` 8 reason and events from 9 on.
 * @returns the fields of the row, and the sessions that ended; nothing for a conflict.
 */
export const applyRotation = writeScript(
  rows,
  trail,
  feeds,
  ending,
  String.raw`
local id, change = ARGV[4], ARGV[7]
local row = read(id)
if not row or not live(row) or row.current ~= ARGV[5] or row.next ~= ARGV[6] then return { ARGV[1], now } end
local ended = {}
if change == 'end' then
  ended[1] = row
  local last = prepare_end(ended)
  finish(ended, ARGV[8], nil, last)
  append_all(9, #ARGV)
else
  row.next, row.current, row.issued = ARGV[8], ARGV[9], ARGV[10]
  append_all(11, #ARGV)
  redis.call('HSET', KEYS[1], 'v', packed(row))
end
return refer({ ARGV[1], now, unpack(redis.call('HMGET', KEYS[1], ${fields}), 1, 8) }, ended)`,
);

/** KEYS: session. ARGV: 4 id, 5 seq, 6 iat, 7 window, 8 idle timeout, 9 activity interval. @returns the fields of the row after it. */
export const reportUse = writeScript(
  rows,
  String.raw`
local found = redis.call('HMGET', KEYS[1], ${fields})
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
return { ARGV[1], now, unpack(found, 1, 8) }`,
);

/**
 * KEYS: session; changes where it is announced; events and trail where there are events. ARGV: 4 id; expected 5 version of
 * the facts, 6 version of the payload, 7 next (each empty for any); new 8 payload, 9 data, 10 facts, 11 bound (each behind
 * `=`, or empty to keep); 12 whether it is announced (1 or empty), events from 13 on.
 * @returns `changed` or `conflict`, and the fields of the row; nothing where there is no live session.
 */
export const changeSession = writeScript(
  rows,
  trail,
  feeds,
  String.raw`
local row = read(ARGV[4])
if not row or not live(row) then return { ARGV[1], now } end
local f = row.f or '\0' .. '0 0 {}'
local bound, facts_version, payload_version, facts = string.match(f, '^(%Z*)%z(%d+) (%d+) (.*)$')
local function expected(arg, value) return ARGV[arg] == '' or ARGV[arg] == value end
if not (expected(5, facts_version) and expected(6, payload_version) and expected(7, row.next)) then
  return { ARGV[1], now, 'conflict', unpack(redis.call('HMGET', KEYS[1], ${fields}), 1, 8) }
end
local announced = ARGV[12] == '1'
local last = announced and feed_end('changes')
if ARGV[10] ~= '' then facts_version, facts = text(facts_version + 1), string.sub(ARGV[10], 2) end
if ARGV[11] ~= '' then bound = string.sub(ARGV[11], 2) end
if announced or ARGV[8] ~= '' then payload_version = text(payload_version + 1) end
local after = bound .. '\0' .. facts_version .. ' ' .. payload_version .. ' ' .. facts
if after ~= f then redis.call('HSET', KEYS[1], 'f', after) end
if ARGV[8] ~= '' then redis.call('HSET', KEYS[1], 'p', string.sub(ARGV[8], 2)) end
if ARGV[9] ~= '' then redis.call('HSET', KEYS[1], 'd', string.sub(ARGV[9], 2)) end
if announced then tell('changes', last, { row }, 'version', payload_version) end
append_all(13, #ARGV)
return { ARGV[1], now, 'changed', unpack(redis.call('HMGET', KEYS[1], ${fields}), 1, 8) }`,
);

/** KEYS: sessions. ARGV: ids from 4 on. @returns for each tenant, version of the payload, end and idle end; empty where it is not live. */
export const liveOf = readScript(
  rows,
  String.raw`
local answer = { ARGV[1], now }
for i = 4, #ARGV do
  local row = read(ARGV[i])
  if row and live(row) then
    answer[#answer + 1] = row.tenant
    answer[#answer + 1] = row.f and string.match(row.f, '^%Z*%z%d+ (%d+)') or '0'
    answer[#answer + 1] = row.expires
    answer[#answer + 1] = row.idle
  else
    for _ = 1, 4 do answer[#answer + 1] = '' end
  end
end
return answer`,
);
