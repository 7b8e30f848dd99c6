-- Puts a request to Sluicegate and lets it go on, or answers what the gate answered. For `nginx-lua.conf`, which says what
-- goes where. Lua strings are bytes: the body that is judged is the body that came.

-- What the gate may answer a client with; all else means that there is no verdict.
local refusals = { [400] = true, [403] = true, [413] = true, [422] = true }

local function refuse(status, text, decision)
  ngx.status = status
  ngx.header["X-Sluicegate-Decision"] = decision
  ngx.header["Content-Type"] = "application/json"
  ngx.print(text)
  return ngx.exit(ngx.HTTP_OK)
end

-- The gate would be asked with one of several, and Flink might read another.
local headers = ngx.req.get_headers(0)
for name, value in pairs(headers) do
  if type(value) == "table" and (name:find("^content%-") or name:find("^x%-sluicegate%-") or name == "workspace") then
    return refuse(400, '{"errors":["sluicegate: the header `' .. name .. '` stands there more than once; send it once"]}')
  end
end

-- `/_sluicegate/gate`, or `/_sluicegate/head` where the body streams past.
local ask, body = ngx.var.sluicegate_ask, ""
if ask == "/_sluicegate/gate" then
  ngx.req.read_body()
  if ngx.req.get_body_file() then
    return ngx.exit(413)
  end
  body = ngx.req.get_body_data() or ""
end

-- The method is the client's: `proxy_method` says so. POST here lets a body through to the gate.
local answer = ngx.location.capture(ask, { method = ngx.HTTP_POST, body = body })
local decision = answer.header["x-sluicegate-decision"]
if answer.truncated or (answer.status ~= 200 and not refusals[answer.status]) then
  return refuse(503, '{"errors":["sluicegate: no verdict, so the request did not go on; is the gate up (`/readyz`)? then try again"]}')
end
if answer.status ~= 200 then
  return refuse(answer.status, answer.body, decision)
end

for name in pairs(headers) do
  if name:find("x-sluicegate-", 1, true) == 1 then
    ngx.req.clear_header(name)
  end
end
ngx.header["X-Sluicegate-Decision"] = decision
