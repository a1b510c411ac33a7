"""Who may do what: roles, access tokens, and where tokens are kept. The CLI makes them, the API asks for them."""
