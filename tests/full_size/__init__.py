"""The public benchmark's own columns at full size, over clips that stand in for the data sets'."""
