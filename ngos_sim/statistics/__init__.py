"""Numbers in, numbers out: sums, standard errors, bands and the order fit."""
