"""Other processes that read files and encode passages for an index, on this machine or on many: by Ray."""
