"""The evaluation room: does reranking help on these documents, and at what cost?"""
