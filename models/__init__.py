"""The judgement: from an event to a decision. No I/O, no clock, no Kafka."""
