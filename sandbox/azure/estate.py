"""Several scenarios in one subscription: the VMs of a storm and the neighbours whose backups succeed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sandbox.azure.world import FullWorld
from sandbox.world import Body


class Estate:
    """The resources of all worlds together. What several of them hold under one id, such as their vault, is the last one's."""

    def __init__(self, worlds: Sequence[FullWorld]) -> None:
        self.worlds = worlds
        self.workspace_id = worlds[0].workspace_id

    @property
    def resources(self) -> dict[str, Body]:
        return {key: body for world in self.worlds for key, body in world.resources.items()}

    @property
    def activity(self) -> list[Body]:
        return [entry for world in self.worlds for entry in world.activity]

    @property
    def changes(self) -> list[Body]:
        return [change for world in self.worlds for change in world.changes]

    @property
    def logs(self) -> dict[str, list[Body]]:
        merged: dict[str, list[Body]] = {}
        for world in self.worlds:
            for table, rows in world.logs.items():
                merged.setdefault(table, []).extend(rows)
        return merged

    @property
    def usages(self) -> list[Body]:
        return self.worlds[0].usages

    @property
    def sizes(self) -> list[Body]:
        return self.worlds[0].sizes

    def resource(self, key: str, now: datetime) -> Body | None:
        return next((body for world in reversed(self.worlds) if (body := world.resource(key, now)) is not None), None)

    def has_group(self, group: str) -> bool:
        return any(world.has_group(group) for world in self.worlds)

    def group_tags(self, group: str) -> Mapping[str, str]:
        return next((tags for world in self.worlds if (tags := world.group_tags(group))), {})

    def of_type(self, kind: str) -> list[Body]:
        return list({body["id"].lower(): body for world in self.worlds for body in world.of_type(kind)}.values())
