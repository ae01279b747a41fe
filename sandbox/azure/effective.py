"""The rules and routes that are in force for a network interface: what its security groups, those of its subnet and its route table say.

https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/list-effective-network-security-groups
https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/get-effective-route-table
Both are a POST that changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.azure.answers import Answer, ok, resource_missing

PATH = re.compile(r"(?i)(?P<nic>/.+/networkInterfaces/[^/]+)/(?P<what>effectiveNetworkSecurityGroups|effectiveRouteTable)")
SYSTEM_ROUTES = (("10.20.0.0/16", "VnetLocal"), ("0.0.0.0/0", "Internet"))

type Bodies = Mapping[str, dict[str, Any]]
"""Resources by id in lower case."""


def is_asked(method: str, path: str) -> bool:
    return method == "POST" and PATH.fullmatch(path) is not None


def answer(path: str, resources: Bodies) -> Answer:
    asked = PATH.fullmatch(path)
    nic = resources.get(asked["nic"].lower()) if asked else None
    if asked is None or nic is None:
        return resource_missing(path, "")
    subnet = _linked(_configuration(nic), "subnet", resources)
    return ok({"value": _groups(nic, subnet, resources) if "security" in path.lower() else _routes(subnet, resources)})


def _configuration(nic: dict[str, Any]) -> dict[str, Any]:
    configurations = nic["properties"].get("ipConfigurations") or [{"properties": {}}]
    return {"properties": configurations[0]["properties"]}


def _linked(body: dict[str, Any], name: str, resources: Bodies) -> dict[str, Any]:
    """The resource that a property names by its id; one without properties where there is none."""
    link = str((body["properties"].get(name) or {}).get("id") or "")
    return resources.get(link.lower(), {"properties": {}})


def _groups(nic: dict[str, Any], subnet: dict[str, Any], resources: Bodies) -> list[dict[str, Any]]:
    found = []
    for where, body in (("networkInterface", nic), ("subnet", subnet)):
        group = _linked(body, "networkSecurityGroup", resources)
        if "id" in group:
            rules = [*(group["properties"].get("securityRules") or ()), *(group["properties"].get("defaultSecurityRules") or ())]
            found.append({
                "networkSecurityGroup": {"id": group["id"]},
                "association": {where: {"id": body["id"]}},
                "effectiveSecurityRules": [{"name": rule["name"], **rule["properties"]} for rule in rules],
            })  # fmt: skip
    return found


def _routes(subnet: dict[str, Any], resources: Bodies) -> list[dict[str, Any]]:
    own = _linked(subnet, "routeTable", resources)["properties"].get("routes") or ()
    named = [(route["properties"]["addressPrefix"], route["properties"]["nextHopType"], route["name"]) for route in own]
    taken = {prefix for prefix, _, _ in named}
    routes = [_route(prefix, hop, "User", "Active", name) for prefix, hop, name in named]
    return routes + [_route(prefix, hop, "Default", "Invalid" if prefix in taken else "Active") for prefix, hop in SYSTEM_ROUTES]


def _route(prefix: str, hop: str, source: str, state: str, name: str = "") -> dict[str, Any]:
    named = {"name": name} if name else {}
    return {**named, "source": source, "state": state, "addressPrefix": [prefix], "nextHopType": hop, "nextHopIpAddress": []}
