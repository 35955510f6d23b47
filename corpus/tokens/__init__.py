"""From kept documents to token shards: vocabulary, encoding, shards and the mixture that draws from them."""
