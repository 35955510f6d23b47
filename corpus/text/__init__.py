"""What every filter shares: words, scripts, n-grams and one tokenized view of a document."""
