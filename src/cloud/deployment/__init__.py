"""From an approved package to an endpoint: what the function `deploy` is made of."""
