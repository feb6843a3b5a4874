"""The queue's other side: threads that claim runs and supervise one pair of sandboxed processes each."""
