"""Rebuild the shipped Parquet files from `orangeJuice.rda` of the Debian package r-cran-bayesm.

python data/rebuild.py                       download the package, then rebuild
python data/rebuild.py --rda orangeJuice.rda rebuild from that file
"""

import argparse
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import rdata

from forecasting.contracts import orange_juice
from forecasting.contracts.orange_juice import dominicks_weeks
from forecasting.contracts.table import Table
from forecasting.storage.files import write_table
from forecasting.storage.location import open_location

PACKAGE = "r-cran-bayesm"
RDA_IN_PACKAGE = "usr/lib/R/site-library/bayesm/data/orangeJuice.rda"

# The help page of bayesm's orangeJuice names the products; the last number is the size of the carton.
PRODUCTS = [
    "Tropicana Premium 64 oz",
    "Tropicana Premium 96 oz",
    "Florida's Natural 64 oz",
    "Tropicana 64 oz",
    "Minute Maid 64 oz",
    "Minute Maid 96 oz",
    "Citrus Hill 64 oz",
    "Tree Fresh 64 oz",
    "Florida Gold 64 oz",
    "Dominick's 64 oz",
    "Dominick's 128 oz",
]
PRICE_DIGITS = 6  # the source's prices are cents divided by ounces, so their last digits are noise


def download_rda(folder: Path) -> Path:
    """Fetch the Debian package into `folder` and unpack it; no root is needed."""
    subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob(f"{PACKAGE}_*.deb")
    subprocess.run(["dpkg", "-x", package.name, "unpacked"], cwd=folder, check=True, capture_output=True)
    return folder / "unpacked" / RDA_IN_PACKAGE


def build_tables(rda: Path) -> dict[Table, pd.DataFrame]:
    """The shipped tables, from the source's `yx` (one row per store, product and week) and `storedemo`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the reader, on R attributes that we do not use
        source = rdata.read_rda(rda)["orangeJuice"]
    cells, demographics = source["yx"], source["storedemo"]
    products = pd.DataFrame(
        {
            "product": range(1, len(PRODUCTS) + 1),
            "name": PRODUCTS,
            "ounces": [int(name.split()[-2]) for name in PRODUCTS],
        }
    )
    product = cells["brand"].to_numpy(dtype=int)
    ounces = products["ounces"].to_numpy()[product - 1]
    prices = cells[[f"price{number}" for number in products["product"]]].to_numpy(dtype=float)
    panel = pd.DataFrame(
        {
            "store": cells["store"].to_numpy(dtype=int),
            "product": product,
            "week": dominicks_weeks(cells["week"].to_numpy(dtype=int)),
            # Movement is in ounces, and a whole multiple of the carton.
            "units": np.rint(np.exp(cells["logmove"].to_numpy(dtype=float)) / ounces).astype(int),
            # Prices are dollars an ounce, of all products in every row.
            "price": (prices[np.arange(len(cells)), product - 1] * ounces).round(PRICE_DIGITS),
            "deal": cells["deal"].to_numpy(dtype=int),
            "feat": cells["feat"].to_numpy(dtype=float),
        }
    )
    stores = demographics.rename(columns=str.lower).astype({"store": int}).assign(name=None)
    return {
        orange_juice.SALES: panel,
        orange_juice.PROMOTIONS: panel,
        orange_juice.PRODUCTS: products,
        orange_juice.STORES: stores,
    }


def rebuild(rda: Path, folder: Path) -> None:
    """Write the tables of `rda` to `folder`."""
    for table, frame in build_tables(rda).items():
        write_table(open_location(folder) / f"{table.name}.parquet", frame, table)


def main() -> None:
    """Rebuild from the command line."""
    parser = argparse.ArgumentParser(description="Rebuild the shipped Parquet files from their source.")
    parser.add_argument("--rda", type=Path, help="orangeJuice.rda; downloaded where it is not given")
    given = parser.parse_args().rda
    with tempfile.TemporaryDirectory() as folder:
        rebuild(given or download_rda(Path(folder)), Path(__file__).parent)


if __name__ == "__main__":
    main()
