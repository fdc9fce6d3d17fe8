"""Files that another process makes, as the cluster key is: processes start in any order.

Who was started before the control plane waits as long as `--await-files` says, and says for what.
A volume that is shared between machines tells nobody of a new file, so the file is looked for.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

from cluster.aio.clock import Clock
from cluster.aio.process import Lifecycle

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1


async def await_files(paths: Iterable[Path | None], lifecycle: Lifecycle, clock: Clock) -> bool:
    """Return when every file is there, or the time is up; False when told to stop meanwhile.

    When the time is up, whoever reads the missing file says what is wrong.
    """
    seconds = lifecycle.config.await_files_seconds
    began = clock.monotonic()
    told = False
    while not lifecycle.stopping.is_set():
        missing = [str(path) for path in paths if path is not None and not path.exists()]
        if not missing or clock.monotonic() - began >= seconds:
            return True
        if not told:
            log.info("waiting for the control plane to make files=%s", ",".join(missing))
            told = True
        await clock.sleep(LOOK_SECONDS)
    return False
