"""What every part of the server shares: requests and responses, media types, output keys."""
