"""A simulated Azure over real HTTP on loopback: Resource Manager and Log Analytics, as far as this project reads them.

    with running_azure(load_scenarios(), latency=0.05) as azure:
        …  # ARM_ENDPOINT = LOGS_ENDPOINT = azure.url
        azure.add_fault(match="GET */Microsoft.Authorization/locks*", status=403)
        assert len(azure.calls()) < 20

`python -m sandbox.azure --port 8080` serves it alone. What a scenario can say: sandbox/scenarios/README.md.
"""

from sandbox.azure.faults import Fault
from sandbox.azure.server import Call, RunningAzure, running_azure

__all__ = ["Call", "Fault", "RunningAzure", "running_azure"]
