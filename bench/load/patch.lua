dofile(os.getenv("LOAD_OURS") .. "/ids.lua")
local S = { "open", "in_progress", "resolved", "closed" }
prepared(20000, function()
  return wrk.format("PATCH", "/api/tickets/" .. IDS[math.random(#IDS)], JSON_HEADERS,
    string.format([[{"status":"%s"}]], S[math.random(4)]))
end)
