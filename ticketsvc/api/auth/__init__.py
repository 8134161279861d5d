"""Who is calling and what they may do: API keys, scopes, client addresses, rate limits."""
