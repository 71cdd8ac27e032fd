"""What a pass is worth in figures: measures, both stages, sweeps, paired comparisons."""
