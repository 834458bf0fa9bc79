"""The words: events, decisions, their Avro schemas, the topics. No I/O but the package's own data."""
