"""The ledger: what every stage and rule did, counted per part and merged."""
