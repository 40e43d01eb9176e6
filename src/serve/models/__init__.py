"""The models of a server: loaded, tried, replaced and given back."""
