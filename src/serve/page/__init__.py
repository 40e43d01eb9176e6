"""The page to try a model in a browser: what it holds, and the scripts that it runs there."""
