/**
 * The outbox of a tag. An entry is named by its destination, a blank and the key of its event. It is its turn, a mark (`q` in
 * a queue, `d` dead), the count, the event's JSON and the state with U+0000 between, and has a place in `queues`; `due` holds
 * each queue by when its head may be taken. Needs \`rows\`.
 */
export const outbox = String.raw`
-- A time as text that sorts as the number does.
local function place(at)
  if at < 0 then return '-' .. string.format('%016d', at + 9000000000000000) end
  return string.format('%016d', at)
end

local function describe(entry)
  entry.destination, entry.key = string.match(entry.name, '^(%w+) (.*)$')
  entry.event = entry.event or cjson.decode(entry.json)
  entry.queue = entry.destination .. (entry.event[5] and ' s' .. short(entry.event[5]) or ' k' .. short(entry.key))
  return entry
end

local function entry_of(name)
  local found = redis.call('HGET', P .. 'outbox', name)
  if not found then return nil end
  local turn, mark, count, json, state = string.match(found, '^(%d+) (%a) (%d+)%z(%Z*)%z(.*)$')
  return describe({ name = name, turn = turn, mark = mark, count = count, json = json, state = state })
end

local function stand(entry)
  if entry.mark == 'd' then return 'd\0' .. place(tonumber(entry.event[1])) .. '\0' .. entry.name end
  return 'q' .. entry.queue .. '\0' .. entry.turn .. '\0' .. entry.name
end

local function stand_of_user(entry) return 'u' .. short(entry.event[4]) .. '\0' .. entry.name end

-- The entry of a queue that has been there longest and is not dead.
local function head(queue)
  local first = redis.call('ZRANGEBYLEX', P .. 'queues', '[q' .. queue .. '\0', '(q' .. queue .. '\1', 'LIMIT', 0, 1)[1]
  return first and entry_of(string.match(first, '^.*%z(.*)$'))
end

local function keep(entry)
  redis.call('HSET', P .. 'outbox', entry.name,
    table.concat({ entry.turn, ' ', entry.mark, ' ', entry.count, '\0', entry.json, '\0', entry.state }))
  redis.call('ZADD', P .. 'queues', 0, stand(entry))
end

local function enqueue(destination, key, count, json, event)
  local name = destination .. ' ' .. key
  if redis.call('HEXISTS', P .. 'outbox', name) == 1 then return end
  local turn = string.format('%016d', redis.call('INCR', P .. 'turn'))
  local entry = describe({ name = name, turn = turn, mark = 'q', count = count, json = json, event = event, state = '{}' })
  keep(entry)
  if entry.event[4] then redis.call('ZADD', P .. 'queues', 0, stand_of_user(entry)) end
  redis.call('ZADD', P .. 'due', 'NX', entry.event[1], entry.queue)
end

-- Takes an entry from its place. If it was the head of its queue, the next one is due at once.
local function step_out(entry)
  local first = head(entry.queue)
  redis.call('ZREM', P .. 'queues', stand(entry))
  if not first or first.name ~= entry.name then return end
  local second = head(entry.queue)
  if second then
    redis.call('ZADD', P .. 'due', string.format('%d', math.min(now, second.event[1])), entry.queue)
  else
    redis.call('ZREM', P .. 'due', entry.queue)
  end
end

local function discard(entry)
  step_out(entry)
  redis.call('HDEL', P .. 'outbox', entry.name)
  if entry.event[4] then redis.call('ZREM', P .. 'queues', stand_of_user(entry)) end
end`;

/** The audit trail: appending and dropping. An event is a count and a JSON array of texts in one hash, and has a place in the trail. */
export const trail = String.raw`${outbox}

local function places(key, event)
  local tail = '\0' .. place(tonumber(event[1])) .. '\0' .. key
  local found = { 'g' .. tail }
  if event[2] ~= 'session_ended' then found[#found + 1] = 'a' .. tail end
  if event[3] and event[3] ~= 'public' then found[#found + 1] = 't' .. short(event[3]) .. tail end
  if event[4] then found[#found + 1] = 'u' .. short(event[4]) .. tail end
  if event[5] then found[#found + 1] = 's' .. short(event[5]) .. tail end
  return found
end

-- Which types of events go to the outbox, and for whom.
local outboxed = string.sub(ARGV[3], #P + 1)

local function append(key, count, json)
  local events = P .. 'events'
  local found = redis.call('HGET', events, key)
  if found then
    local present, rest = string.match(found, '^(%d+) (.*)$')
    redis.call('HSET', events, key, string.format('%d', present + count) .. ' ' .. rest)
    return
  end
  redis.call('HSET', events, key, count .. ' ' .. json)
  local event = cjson.decode(json)
  for _, member in ipairs(places(key, event)) do redis.call('ZADD', P .. 'trail', 0, member) end
  local destinations = string.match(outboxed, ' ' .. event[2] .. '=(%S+)') or ''
  for destination in string.gmatch(destinations, '%w+') do enqueue(destination, key, count, json, event) end
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
