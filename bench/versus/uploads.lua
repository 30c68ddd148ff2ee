-- For wrk: sends whole requests, read from the files that are its arguments, in turns; prints one line of JSON.
local requests = {}
local sent = 0

function init(args)
  for index = 1, #args do
    local file = assert(io.open(args[index], 'rb'))
    requests[index] = file:read('*a')
    file:close()
  end
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
  local counts = {}
  for index = 1, #latency do
    local microseconds, count = latency(index)
    counts[index] = string.format('[%d,%d]', microseconds, count)
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"latencies":[%s]}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    table.concat(counts, ',')
  ))
end
