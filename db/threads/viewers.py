"""Who may see a thread: the visibility of threads asked the other way round, from the thread to its users.

`db.threads.source` says whether one caller sees a thread; this finds every active user who does. A test compares them.
"""

from __future__ import annotations

from typing import Final

from db.reading.writer import UNRESTRICTED
from domain.access import Role

_UNRESTRICTED: Final = ", ".join(f"'{role.name}'" for role in sorted(UNRESTRICTED, key=lambda role: role.name))

# An owner is who is assigned to the thread or to a lead of its person; a senior stands beside everybody in a team.
VIEWERS: Final = f"""
    with thread as (select * from threads where tenant_id = :tenant and id = :thread),
    person_leads as (
        select l.id, l.assignee_id from leads l join thread t on l.tenant_id = t.tenant_id and l.person_id = t.person_id
    ),
    owners as (
        select assignee_id as user_id from thread union select assignee_id from person_leads
    )
    select u.id as user_id from users u
    where u.tenant_id = :tenant and u.status = 'ACTIVE' and (
        u.role in ({_UNRESTRICTED})
        or u.id in (select user_id from owners)
        or u.id in (
            select s.user_id from lead_shares s join person_leads l on s.lead_id = l.id where s.tenant_id = :tenant
        )
        or u.role = '{Role.SENIOR_BROKER.name}' and exists (
            select from team_members mine
            join team_members theirs on theirs.tenant_id = mine.tenant_id and theirs.team_id = mine.team_id
            where mine.tenant_id = :tenant and mine.user_id = u.id
              and theirs.user_id in (select user_id from owners)
        )
    )
"""
