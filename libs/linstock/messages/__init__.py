"""Every command and event, as frozen msgspec Structs: one module per aggregate, one union each.

The encoded shapes are contracts. An event is stored for ever, so a field may only be added with a default; any other
change is a new `.v2` tag beside the old one and an upcaster in `codec.py`. Python names are snake_case, JSON names
camelCase. Times are aware UTC; durations end in `_s` or `_ms`; sizes in `_bytes`.
"""
