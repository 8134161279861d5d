-- Claims tickets with the query in the environment variable QUERY, each for another of 50 agents. Each connection waits PAUSE
-- milliseconds before a claim, on average.
local number = 0
local pause = tonumber(os.getenv("PAUSE"))

function request()
  number = number + 1
  return wrk.format("POST", "/api/tickets/claim/" .. os.getenv("QUERY"), { ["Content-Type"] = "application/json" },
    string.format([[{"assignee":"agent%d@example.com"}]], number % 50))
end

if pause > 0 then
  function delay()
    return math.random(0, 2 * pause)
  end
end
