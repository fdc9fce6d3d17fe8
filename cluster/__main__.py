"""python -m cluster: the same as the command `kubehop`."""

from cluster.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
