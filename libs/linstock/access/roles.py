"""What a caller may do: look (viewer), run and stop things (operator), change and delete them (admin)."""

from typing import Literal, get_args

Role = Literal["viewer", "operator", "admin"]

VIEWER: Role = "viewer"
OPERATOR: Role = "operator"
ADMIN: Role = "admin"

ROLES: tuple[Role, ...] = get_args(Role)
"""The least first: each may what those before it may."""


def covers(has: Role, needed: Role) -> bool:
    return ROLES.index(has) >= ROLES.index(needed)
