dofile(os.getenv("LOAD_OURS") .. "/ids.lua")
prepared(20000, function() return wrk.format("GET", "/api/tickets/" .. IDS[math.random(#IDS)]) end)
