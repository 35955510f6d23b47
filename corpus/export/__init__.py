"""What other tools read: clean text as JSON Lines or Parquet, tokens as the flat files of nanoGPT."""
