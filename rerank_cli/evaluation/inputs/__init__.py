"""What an evaluation reads: queries with judgements, runs, and sets of one's own."""
