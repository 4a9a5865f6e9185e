"""The meaning of a break: pure values, rules and totals; no framework, no clock, no input or output."""
