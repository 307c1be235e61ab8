"""The database as a second target: a copy of the lake's tables for tools that read SQL. The files are the truth.

`target` opens it, `tables` declares what is in it, `load` makes it agree with the lake.
"""
