"""Authentication and authorization: API keys, scopes, client addresses, rate limits."""
