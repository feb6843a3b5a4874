"""Statistics that several analyses need: intervals, tests, corrections, resampling."""
