"""What an erasure covers, as SQL: what it takes, store by store, and the work that is not finished about it.

Statements are given `tenant`, `consent`, `person` (null for a visitor), `whole` (all about a person, and not what one
consent let be measured), and `names` and `phones`, by which texts about the person are found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import TextClause, text

from db.naming import mentions

# The sessions that an erasure covers: of one consent, or of every consent of the same subject, purpose and modality.
_SESSIONS: Final = """
    select s.id from perception_sessions s
    where s.tenant_id = :tenant and s.consent_id = any(array(
        select c.id from consents c join consents k on k.tenant_id = c.tenant_id
            and (c.id = k.id or (:whole and c.person_id = k.person_id and c.purpose = k.purpose
                and c.modality = k.modality))
        where k.tenant_id = :tenant and k.id = :consent))
"""

# Whether the consent was to cameras: what they saw goes then, and no score, which rests on another consent.
_CAMERAS: Final = "(select k.modality = 'CCTV' from consents k where k.tenant_id = :tenant and k.id = :consent)"

_EVENTS: Final = f"""
    select e.id from cctv_events e join perception_sessions v on v.tenant_id = e.tenant_id and v.id = e.session_id
    where e.tenant_id = :tenant and (v.id in ({_SESSIONS}) or v.person_id = :person and {_CAMERAS})
"""

_OF_THE_PERSON: Final = """
    :whole and ({0}.subject_noun = 'people' and {0}.subject_id = :person
        or {0}.subject_noun = 'leads' and {0}.subject_id in (
            select l.id from leads l where l.tenant_id = :tenant and l.person_id = :person))
"""

# What was asked in the words of a client is about whoever is named in it. Nothing else says whom it is about.
_ASKED: Final = mentions(
    "concat_ws(' ', i.request_id, (select string_agg(m ->> 'content', ' ') from json_array_elements(i.messages) m),"
    " i.output_text, i.output_json::jsonb, i.error_message)"
)
_NAMED_ITEMS: Final = f"select i.id from inference_items i where i.tenant_id = :tenant and :whole and {_ASKED}"
# What failed last of a batch stands in its job too, and a hash of all of it.
_NAMED_BATCH: Final = f"""
    j.id in (select i.job_id from inference_items i where i.tenant_id = :tenant and :whole and {_ASKED})
"""
_WORDS: Final = "concat_ws(' ', array_to_string(j.keywords, ' '), j.prompt)"
_NAMED_RENDER: Final = f"j.kind = 'RENDER' and :whole and {mentions(_WORDS)}"

_JOB: Final = f"""
    (j.subject_noun = 'perception_sessions' and j.subject_id in ({_SESSIONS})
        or j.subject_noun = 'cctv_events' and j.subject_id in ({_EVENTS})
        or {_OF_THE_PERSON.format("j")} or {_NAMED_RENDER})
"""

# A match says whose visit a session may have been.
_PROPOSAL: Final = f"""
    p.source_kind <> 'IMPORT' and ({_OF_THE_PERSON.format("p")} or p.kind = 'MATCH' and exists (
        select from ({_SESSIONS}) covered
        where 'session_' || covered.id::text = p.changes::jsonb -> 0 -> 'after' ->> 'id'))
"""

UNFINISHED: Final = text(f"""
    select j.id, {_JOB} as whole from jobs j
    where j.tenant_id = :tenant and (j.status in ('QUEUED', 'RUNNING') and {_JOB}
        or j.status = 'RUNNING' and {_NAMED_BATCH})
    order by j.id for update of j
""")
"""Jobs that are to end, and running ones that are to go on without some of their items."""

PENDING: Final = text(f"""
    select p.id, p.kind from proposals p where p.tenant_id = :tenant and p.status = 'PENDING' and {_PROPOSAL}
    order by p.id for update of p
""")

ERASED: Final = "What this was about has been erased."
"""In place of an error's message: a provider's words may be in it."""

# What counts as measured in the scores of a person: all that is no PROFILE; or only what came of these sessions. What
# canvases have kept about the person or these sessions goes as a whole: it is known by a digest of all its rows. What
# others are found by comes before them.
_STORES: Final = {
    "canvas_data": f"""
        update canvas_data set rows = null, salt = null, erased_at = now()
        where tenant_id = :tenant and digest in (
            select distinct kept.digest from canvas_data_subjects about join canvas_data kept
                on kept.tenant_id = about.tenant_id and kept.digest = about.digest and kept.erased_at is null
            where about.tenant_id = :tenant and (about.subject_noun = 'people' and about.subject_id = :person
                or about.subject_noun = 'perception_sessions' and about.subject_id in ({_SESSIONS})
                or about.subject_noun = 'inference_items' and about.subject_id in ({_NAMED_ITEMS})
                or about.subject_noun = 'jobs' and about.subject_id in (
                    select j.id from jobs j where j.tenant_id = :tenant and ({_JOB} or {_NAMED_BATCH})))
            order by kept.digest limit :most)
        returning encode(digest, 'hex') as id
    """,
    "jobs": f"""
        update jobs set keywords = '{{}}', prompt = null,
            payload = case when kind = 'RENDER' then '{{}}' when payload ->> 'items' is null then payload
                else (payload::jsonb || '{{"items": ""}}')::json end,
            payload_hash = case when kind = 'RENDER' or payload ->> 'items' is not null
                then encode(sha256('{{}}'), 'hex') else payload_hash end,
            error_message = case when error_code is not null then '{ERASED}' end
        where tenant_id = :tenant and id in (
            select j.id from jobs j where j.tenant_id = :tenant and ({_JOB} or {_NAMED_BATCH})
                and (j.keywords <> '{{}}' or j.prompt is not null or j.error_message <> '{ERASED}'
                    or j.payload ->> 'items' <> '')
            order by j.id limit :most)
        returning id
    """,
    "proposals": f"""
        update proposals set status = case status when 'PENDING' then 'EXPIRED' else status end,
            decided_at = coalesce(decided_at, :now), changes = '[]', evidence = '[]', reason = null, comment = null
        where tenant_id = :tenant and id in (
            select p.id from proposals p where p.tenant_id = :tenant and {_PROPOSAL}
                and (p.status = 'PENDING' or p.changes::text <> '[]')
            order by p.id limit :most)
        returning id
    """,
    "inference_items": f"""
        delete from inference_items where tenant_id = :tenant and id in ({_NAMED_ITEMS} order by i.id limit :most)
        returning id
    """,
    "cctv_events": f"""
        delete from cctv_events where tenant_id = :tenant and id in ({_EVENTS} order by e.id limit :most)
        returning id
    """,
    "qd_scores": f"""
        delete from qd_scores where tenant_id = :tenant and person_id = :person and (at, id) in (
            select at, id from qd_scores where tenant_id = :tenant and person_id = :person
                and ((:whole and kind <> 'PROFILE' and not {_CAMERAS}) or session_id in ({_SESSIONS}))
            order by at limit :most)
        returning id
    """,
    "visitor_scores": f"""
        delete from visitor_scores where tenant_id = :tenant and (session_id, at, id) in (
            select session_id, at, id from visitor_scores where tenant_id = :tenant and session_id in ({_SESSIONS})
            order by session_id, at, id limit :most)
        returning id
    """,
    "perception_batches": f"""
        delete from perception_batches where tenant_id = :tenant and id in (
            select id from perception_batches where tenant_id = :tenant and session_id in ({_SESSIONS})
            order by session_id, sequence limit :most)
        returning id
    """,
    "perception_sessions": f"""
        update perception_sessions set measured = false, memory = null, peak_score = null, peak_scene_id = null,
            final_qd_at = null, final_qd_score = null, final_qd_engagement = null, final_qd_valence = null,
            final_qd_attention = null, final_qd_confidence = null, refined_qd_at = null, refined_qd_score = null,
            refined_qd_engagement = null, refined_qd_valence = null, refined_qd_attention = null,
            refined_qd_confidence = null
        where tenant_id = :tenant and measured and id in ({_SESSIONS} order by s.id limit :most)
        returning id
    """,
}

STORES: Final[Mapping[str, TextClause]] = {
    store: text(
        f"with gone as ({statement}) select count(*) as rows,"
        " sha256(convert_to(coalesce(string_agg(id::text, ',' order by id), ''), 'UTF8')) as digest from gone"
    )
    for store, statement in _STORES.items()
}
"""For each store the statement that erases at most `most` rows and answers how many went, and a digest of their ids."""
