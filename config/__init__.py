"""Settings, clock, queue names, embedded servers."""
