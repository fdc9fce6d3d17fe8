"""How long a client waits, and what it can say when nobody has answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt, name_flow
from cluster.traffic.refusal import explain
from cluster.traffic.unreached import Symptom, Unreached


@asynccontextmanager
async def patient(access: Access, attempt: Attempt, seconds: float) -> AsyncIterator[None]:
    """Turn a time-out into Unreached, and give every Unreached the flow it is about."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise await _silence(access, attempt, seconds) from None
    except Unreached as error:
        if not error.flow_id and error.trace is None:
            error.flow_id = await name_flow(access, attempt)
        raise


async def _silence(access: Access, attempt: Attempt, seconds: float) -> Unreached:
    """Nobody answered: the flow that met silence, or the front that lets none in."""
    message = f"{attempt}: no answer within {seconds:g} s"
    flow_id = await name_flow(access, attempt)
    if flow_id or attempt.target is None:
        return Unreached(Symptom.TIMEOUT, message, flow_id)
    reason, trace = await explain(access, attempt)
    return Unreached(Symptom.TIMEOUT, f"{message}: {reason}", trace=trace)
