"""Facts of a run and a week for people: one view model, thin writers."""
