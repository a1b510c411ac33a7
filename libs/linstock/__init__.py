"""Linstock: schedules that fire once, scans that never lose a library, jobs whose whole history can be replayed."""
