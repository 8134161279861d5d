-- Claims tickets with the query in the environment variable QUERY, each for another of 50 agents.
local number = 0
function request()
  number = number + 1
  return wrk.format("POST", "/api/tickets/claim/" .. os.getenv("QUERY"), { ["Content-Type"] = "application/json" },
    string.format([[{"assignee":"agent%d@example.com"}]], number % 50))
end
