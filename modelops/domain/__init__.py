"""Rules and records: what is true of a review whoever asks, without database, clock or screen."""
