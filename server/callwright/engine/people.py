"""Who is asking: the embedded platform has one person, who owns everything in the workspace."""

from ..contract.common import AccessInfo

OWNER = AccessInfo(is_creator=True, creator_name="You", creator_email="", role="admin")
