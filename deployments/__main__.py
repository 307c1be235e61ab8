"""Entry point of `oj`. Thin, because every Dask worker imports the main module of its parent anew."""


def main() -> None:
    """Run the command line."""
    from deployments import cli

    cli.main()


if __name__ == "__main__":
    main()
