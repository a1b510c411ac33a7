"""A year of schedules in seconds: the real tickers, tails, indexes and edits on a log in memory and on virtual time.

Replicas are killed, cut off, kept in the dark and given wrong ideas of the time; Postgres's clock is set; people edit
schedules; jobs take long or fail. Afterwards `oracle.judge` goes through the log with brute force of its own.
"""
