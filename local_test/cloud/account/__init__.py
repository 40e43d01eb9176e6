"""An account of AWS on this machine: moto, with what it lacks."""
