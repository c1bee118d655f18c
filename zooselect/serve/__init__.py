"""A SparseZoo server over a mirror, for zooselect and for the unmodified old clients.

`zoo` is what is served, `wire` how the old protocol words it, `graphql` and `rest` its two
generations, `files` the bytes, `app` the routes, `run` the process.
"""
