"""A database with a copy of the lake's tables, for tools that read SQL. The lake's files remain the source.

`target` opens it, `tables` declares its tables and views, `load` updates it from the lake.
"""
