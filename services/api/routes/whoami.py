"""whoami, under /api/v1"""

from litestar import get

from services.api import answers
from services.api.context import Shared
from services.api.dto.whoami import WhoamiDto


@get("/whoami", responses=answers.reading())
async def whoami(context: Shared) -> WhoamiDto:
    """Who you are here: the actor that your changes will name, your role, and the workspace you see."""
    return WhoamiDto(actor=context.actor, role=context.role, workspace=context.workspace)


HANDLERS = (whoami,)
