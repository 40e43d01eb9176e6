"""An account of AWS as this machine can be it: moto, with what it lacks."""
