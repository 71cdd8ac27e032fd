"""What the figures say: the verdict, the causes of misses, the gate for scripts."""
