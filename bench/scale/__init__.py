"""What larger jobs cost: measured where it fits on one machine, and by a formula beyond."""
