"""What is known exactly: moments and laws of SDEs, predicted constants, quadrature. Nothing here samples."""
