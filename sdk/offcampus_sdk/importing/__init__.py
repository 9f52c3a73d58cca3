"""Exports of training-school products, CSV and XLSX, as records of the standard.

A mapping file says which column becomes which member (`mapping.load`); every row has its fate before anything is sent
(`rows.judge`): ready, skipped (a total, an empty row), or wrong, with the column, what is allowed and what to do.
"""
