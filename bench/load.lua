-- Sends one body over and over, and prints what came of it as JSON. Used by load.py.
local function read(name)
  local path = os.getenv(name)
  if not path then return nil end
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

wrk.method = "POST"
wrk.body = read("BENCH_BODY")
wrk.headers["content-type"] = "application/json"
local token = read("BENCH_TOKEN")
if token then wrk.headers["authorization"] = "Bearer " .. token:gsub("%s+$", "") end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nMEASURED {"per_second": %.3f, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f, "requests": %d, "failed": %d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3, summary.requests, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
