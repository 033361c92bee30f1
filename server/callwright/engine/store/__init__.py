"""Rows: the transaction, who uses what, paging, sealed values, records of conversations."""
