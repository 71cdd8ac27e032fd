"""From a folder to passages: find the files (discover), understand them (read), cut them (split)."""
