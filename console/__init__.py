"""What people see in a browser: the ops desk and the finance desk."""
