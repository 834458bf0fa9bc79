"""A real single-node Apache Kafka on loopback, on a machine that has Python alone."""

from streams.broker.node import Broker

__all__ = ["Broker"]
