"""Our records: the company's orders, instruments and transactions."""
