"""The read models, one module each: a row, and a pure fold of events into rows.

Each module has `Row`, `rows()`, `reads(fact, tables)` (the keys whose stored rows its fold looks at) and
`fold(tables, fact)`. A fold ignores what does not concern it, so each ends in `case _: return` on purpose.
"""
