"""Holdings: what the books come to against what the broker shows, the difference taken apart."""
