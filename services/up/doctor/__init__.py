"""`linstock doctor`: everything that is known to go wrong, looked at, with what to do about it. Changes nothing."""
