"""The program: names, wiring, the loop, its life cycle and the command line."""
