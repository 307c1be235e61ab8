"""Entry point of `oj`. Thin, because every Dask worker imports the main module of its parent anew."""


def main() -> None:
    """Run the command line."""
    from deployments.cli import app

    app()


if __name__ == "__main__":
    main()
