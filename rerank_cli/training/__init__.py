"""Fine-tuning a reranker or an encoder to one's own pairs or judgements."""
