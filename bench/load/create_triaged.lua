-- Creates tickets without labels: this service suggests them, its peers take defaults.
dofile(os.getenv("LOAD_DIR") .. "/common.lua")
prepared(1000, function()
  return wrk.format("POST", "/api/tickets/", JSON_HEADERS,
    string.format([[{"title":"%s","description":"%s"}]], text(math.random(4, 9)), text(math.random(30, 80))))
end)
