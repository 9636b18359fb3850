"""What is measured: weak errors, their standard errors, orders."""
