"""What is optimised: the noisy gradient oracle (f, Sigma, Z_sigma)."""
