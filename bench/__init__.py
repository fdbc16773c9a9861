"""What Picture costs, measured from outside on real parts; README.md tells what, and how to read it."""
