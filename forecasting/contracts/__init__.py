"""What everything else agrees on: tables, calendar, specifications, errors and the run record; typed and frozen."""
