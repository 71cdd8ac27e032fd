"""The index in Milvus, embedded or on a server: another implementation of the index port."""
