"""What a desktop host runs of the bundle: beside the package, so that nothing has to be installed first."""

import os
import sys

for name, value in list(os.environ.items()):
    # Some hosts hand over the name of a field that was left empty, instead of nothing.
    if value.startswith("${user_config."):
        del os.environ[name]
if len(sys.argv) == 1:
    sys.argv.append("serve")

from callwright.cli import main  # noqa: E402  # it reads the environment above

main()
