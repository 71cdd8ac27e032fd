"""One pass of both stages over the queries, and what it remembers."""
