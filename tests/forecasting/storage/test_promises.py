"""What a lake promises, on every kind of storage: from the inbox to the published forecast."""

import multiprocessing
import os
import threading
from datetime import datetime, timedelta
from io import BytesIO

import pandas as pd
import pytest

from forecasting.clock import now
from forecasting.contracts.errors import WeekBusy
from forecasting.contracts.spec import GateSpec
from forecasting.pipeline import ingest
from forecasting.storage.lake import Lake
from forecasting.storage.leases import week_lease
from forecasting.storage.location import Location
from tests import weeks
from tests.databases import publish_anew
from tests.roots import Roots
from tests.small import STORES
from tests.weeks import WEEKS, content_of, file_name, run, run_and_die, send, state_of

WEEK, NEXT = WEEKS[:2]
KEPT = ("sales", "promotions", "vintages", "published", "runs")
# A run changes these, in this order; it is killed before it does.
PLACES = [
    "locks/collect/000000000001",
    "vintages/sales/changing",
    "vintages/sales/1992",
    "sales",
    "vintages/promotions/1992",
    "promotions",
    "completeness",
    f"archive/{WEEK}/",
    f"archive/{WEEK}.json",
    f"inbox/.taken/{WEEK}",
    "staging",
    "runs",
    "published",
]


@pytest.fixture
def lake(root: str) -> Lake:
    """A small lake with some weeks of history."""
    return weeks.begin(root)


def test_a_week_is_collected_archived_and_published(lake: Lake) -> None:
    """Its files leave the inbox, their bytes are in the archive, their rows in the history, and a forecast is there."""
    send(lake, WEEK)
    ingested, published = run(lake, WEEK)
    assert ingested.quarantined == 0
    assert ingested.notes == ()
    assert published.is_new
    assert lake.inbox.files() == []
    copies = {copy.name: copy.read_bytes() for copy in lake.archive.files(WEEK)}
    assert copies == {file_name(WEEK, store): content_of(WEEK, store) for store in STORES}
    sold = pd.concat([pd.read_csv(BytesIO(content)) for content in copies.values()])
    sold = sold[sold["week"] == str(WEEK)]
    assert lake.sales.of_week(WEEK)["units"].sum() == sold["units"].sum()
    assert len(lake.forecasts.read(WEEK)) == published.rows == len(sold) * 2


def test_the_same_run_again_changes_nothing(lake: Lake) -> None:
    """Neither history nor the published file is written: their stamps stay."""
    send(lake, WEEK)
    run(lake, WEEK)
    before = [walk(lake, folder) for folder in KEPT]
    assert not run(lake, WEEK)[1].is_new
    assert [walk(lake, folder) for folder in KEPT] == before


def walk(lake: Lake, folder: str) -> list[tuple[str, str]]:
    return [(entry.key, entry.stamp) for entry in (lake.root / folder).walk()]


def test_a_correction_is_a_new_vintage(lake: Lake) -> None:
    """What was known before stays, as of any moment, and so does what a published forecast was made from."""
    send(lake, WEEK)
    first = run(lake, WEEK)[1].as_of
    old = lake.sales.of_week(WEEK)
    send(lake, WEEK, more_units=100)
    send(lake, NEXT)
    ingested, published = run(lake, NEXT)
    assert ingested.corrected_by_week == {WEEK: len(old)}
    assert (lake.sales.of_week(WEEK)["units"] == old["units"] + 100).all()
    assert known(lake, first).equals(old)
    assert known(lake, published.as_of).equals(lake.sales.of_week(WEEK))
    assert lake.snapshot_of(WEEK).sales.equals(lake.sales.read(WEEK, first))
    assert len(lake.corrections.read(NEXT)) == len(old)
    assert lake.sales.read(WEEK, first - timedelta(microseconds=1))["week"].max() < pd.Timestamp(WEEK)


def known(lake: Lake, moment: datetime) -> pd.DataFrame:
    """The sales of the week, as known then."""
    rows = lake.sales.read(WEEK, moment)
    return rows[rows["week"] == pd.Timestamp(WEEK)].reset_index(drop=True)


def test_a_file_that_is_sent_again_adds_nothing(lake: Lake) -> None:
    """It is collected, as any, and archived beside the first; its rows are there already."""
    send(lake, WEEK)
    run(lake, WEEK)
    vintages = walk(lake, "vintages")
    (lake.inbox / file_name(WEEK, 2)).write_bytes(content_of(WEEK, 2))
    ingested, published = run(lake, WEEK)
    assert ingested.duplicates == (lake.sales.of_week(WEEK)["store"] == 2).sum()
    assert ingested.corrected_by_week == {}
    assert not published.is_new
    assert walk(lake, "vintages") == vintages
    assert lake.inbox.files() == []
    names = [copy.name for copy in lake.archive.files(WEEK)]
    assert names == sorted([*(file_name(WEEK, store) for store in STORES), f"{WEEK}_store-002.2.csv"])


def test_a_file_that_changes_while_it_is_collected_is_read_again(lake: Lake) -> None:
    """The run says so, and the next one takes in what was sent last."""
    send(lake, WEEK)
    arrived = ingest.collect(lake, WEEK)
    (lake.inbox / file_name(WEEK, 2)).write_bytes(content_of(WEEK, 2, 7))
    checked = ingest.validate(lake, arrived)
    at = now()
    ingested = ingest.admit(lake, WEEK, arrived, checked, GateSpec(at), at)
    assert any("changed since it was read, and is read again by the next run" in note for note in ingested.notes)
    assert [file.name for file in lake.inbox.files()] == [file_name(WEEK, 2)]
    before = lake.sales.of_week(WEEK)
    run(lake, WEEK)
    after = lake.sales.of_week(WEEK)
    assert (after["units"] - before["units"]).tolist() == [7 if store == 2 else 0 for store in before["store"]]
    assert lake.inbox.files() == []


def test_a_file_that_changes_after_it_was_collected_comes_back(lake: Lake) -> None:
    """Its sender had it open: the next run takes in its whole content."""
    send(lake, WEEK)
    run(lake, WEEK)
    [held] = [entry for entry in (lake.inbox / ".taken").walk() if entry.name == file_name(WEEK, 2)]
    content = content_of(WEEK, 2, 7)
    held_place = Location(lake.root.backend, held.key)
    if held_place.path:
        held_place.path.write_bytes(content)  # as through the sender's open handle, not put aside and renamed
    else:
        held_place.write_bytes(content)
    ingested, _ = run(lake, WEEK)
    assert any("as its sender was still writing it" in note for note in ingested.notes)
    assert ingested.corrected_by_week == {WEEK: (lake.sales.of_week(WEEK)["store"] == 2).sum()}


def test_one_of_two_runs_of_a_week_is_refused(lake: Lake) -> None:
    """While one holds the week, another reads who does, and changes nothing."""
    send(lake, WEEK)
    before = state_of(lake)
    with (
        week_lease(lake.lock(str(WEEK)), WEEK),
        pytest.raises(WeekBusy, match=f"{WEEK} is busy.*process {os.getpid()} since"),
    ):
        run(lake, WEEK)
    assert state_of(lake) == before
    assert run(lake, WEEK)[1].is_new


def test_publishing_is_one_step(lake: Lake) -> None:
    """A reader finds one of two forecasts, whole, while they replace each other."""
    factors = (1.0, 2.0)
    for factor in factors:
        publish_anew(lake, weeks.LAST, factor=factor)
    place = lake.forecasts.path(weeks.LAST)
    wanted = {place.read_bytes()}
    publish_anew(lake, weeks.LAST, factor=1.0)
    wanted.add(place.read_bytes())
    assert len(wanted) == 2

    def publish() -> None:
        for factor in factors * 3:
            publish_anew(lake, weeks.LAST, factor=factor)

    writer = threading.Thread(target=publish)
    writer.start()
    while writer.is_alive():
        try:
            assert place.read_bytes() in wanted
        except FileNotFoundError:
            assert "exfat" in str(place)  # whose rename is not one step
    writer.join()


@pytest.fixture(scope="session")
def undisturbed(roots: Roots) -> dict[str, bytes]:
    """What a lake says after a week whose run nobody disturbed."""
    lake = weeks.begin(roots.make("folder"))
    send(lake, WEEK)
    run(lake, WEEK)
    return state_of(lake)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("root", ["folder"], indirect=True)
def test_a_killed_run_is_made_good_by_the_next(lake: Lake, place: str, undisturbed: dict[str, bytes]) -> None:
    """Wherever it was killed, no row is lost and none is there twice: all bytes are those of an undisturbed run."""
    kill_and_run(lake, place, undisturbed)


@pytest.mark.parametrize("place", [f"inbox/.taken/{WEEK}", "published"])
@pytest.mark.parametrize("root", ["no-hard-links", "two-devices", "s3", "azure"], indirect=True)
def test_a_killed_run_is_made_good_on_all_storage(lake: Lake, place: str, undisturbed: dict[str, bytes]) -> None:
    """The same where it depends on the storage most."""
    kill_and_run(lake, place, undisturbed)


def kill_and_run(lake: Lake, place: str, undisturbed: dict[str, bytes]) -> None:
    """Run the week in a process that dies before it changes that place; then run it here."""
    send(lake, WEEK)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.weeks"])
    process = context.Process(target=run_and_die, args=(str(lake.root), WEEK, place, dict(os.environ)))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert state_of(lake) != undisturbed
    run(lake, WEEK)
    assert state_of(lake) == undisturbed
    assert lake.inbox.files() == []
    assert (lake.root / "staging").walk() == []
