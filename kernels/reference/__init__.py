"""The NumPy twin of every compiled kernel: specification, oracle, and what runs without a compiler."""

LEVEL = "numpy"
