"""The report that people read: content in, the text of one HTML page out.

No file is read but the page's own template, style and scripts; whatever of the content comes from outside stays text.
"""

from forecasting.presentation.html.content import Content
from forecasting.presentation.html.render import Page, render

__all__ = ["Content", "Page", "render"]
