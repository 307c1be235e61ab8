"""Entry point of `oj`. Thin, because every Dask worker imports the main module of its parent anew."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from deployments import cli

        cli.main()
    except KeyboardInterrupt:
        # While the command line itself is imported: nothing has begun.
        sys.stderr.write("Stopped.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
