"""Controls: each safeguard is taken away once, and the checks must notice. A check that stays green proves nothing.

A control is one scenario, run twice on fresh servers: as the product does it (nothing may be wrong), and sabotaged by
a subclass or a patch in this process (something must be). It returns what was wrong, in a few words; "" for nothing.
"""
