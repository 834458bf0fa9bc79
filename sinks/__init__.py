"""The hands: the store (ClickHouse) and what is written to it."""
