"""What a person would have to guess when something does not work. Nothing is written or fetched, and no model runs."""
