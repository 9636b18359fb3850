"""`python -m ngos_sim`: the command line, where the script is not on the path."""

from ngos_sim.cli import main

if __name__ == "__main__":
    main()
