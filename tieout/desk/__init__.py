"""What people see: reads that return frozen rows, for console and command line alike."""
