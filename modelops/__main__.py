"""``python -m modelops COMMAND``."""

from modelops.cli import main

if __name__ == "__main__":
    main()
