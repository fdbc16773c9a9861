"""python -m bench"""

from bench.pipeline import command

if __name__ == "__main__":
    command(prog_name="python -m bench")
