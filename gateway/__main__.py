"""python -m gateway: serve."""

from gateway.app import run

if __name__ == "__main__":
    run()
