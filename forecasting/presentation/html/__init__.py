"""The HTML page of a week: one file, read offline.

No file is read but the page's own template, style and scripts; whatever comes from outside stays text.
"""

from forecasting.presentation.html.render import render, write_page

__all__ = ["render", "write_page"]
