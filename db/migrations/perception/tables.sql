-- Sessions, what they leave, consents' erasures, videos and notifications, in the order of their foreign keys.

CREATE TABLE videos (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    title TEXT NOT NULL CONSTRAINT ck_videos_title_length CHECK (char_length("title") BETWEEN 1 AND 200),
    object_key TEXT NOT NULL CONSTRAINT ck_videos_object_key_length CHECK (char_length("object_key") BETWEEN 1 AND 500),
    content_type TEXT NOT NULL CONSTRAINT ck_videos_content_type_length CHECK (char_length("content_type") BETWEEN 1 AND 100),
    duration_ms INTEGER NOT NULL CONSTRAINT ck_videos_duration_ms_least CHECK ("duration_ms" >= 1),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_videos PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_videos_object_key_stands_in_addresses CHECK (object_key ~ '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$'),
    CONSTRAINT fk_videos_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_videos_tenant_id_created_at_id ON videos (tenant_id, created_at, id);

CREATE TABLE scenes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    video_id UUID NOT NULL,
    title TEXT NOT NULL CONSTRAINT ck_scenes_title_length CHECK (char_length("title") BETWEEN 1 AND 200),
    start_ms INTEGER NOT NULL CONSTRAINT ck_scenes_start_ms_least CHECK ("start_ms" >= 0),
    end_ms INTEGER NOT NULL CONSTRAINT ck_scenes_end_ms_least CHECK ("end_ms" >= 0),
    CONSTRAINT pk_scenes PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_scenes_ends_after_start CHECK (start_ms < end_ms),
    CONSTRAINT fk_scenes_tenant_id_video_id FOREIGN KEY(tenant_id, video_id) REFERENCES videos (tenant_id, id)
);

CREATE INDEX ix_scenes_tenant_id_video_id_start_ms_id ON scenes (tenant_id, video_id, start_ms, id);

CREATE TABLE perception_sessions (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    status TEXT NOT NULL CONSTRAINT ck_perception_sessions_status_known CHECK ("status" IN ('RUNNING', 'COMPLETED', 'STOPPED')),
    surface TEXT NOT NULL CONSTRAINT ck_perception_sessions_surface_known CHECK ("surface" IN ('BROWSER', 'IPAD', 'KIOSK')),
    person_id UUID,
    consent_id UUID NOT NULL,
    video_id UUID,
    started_by_noun TEXT NOT NULL CONSTRAINT ck_perception_sessions_started_by_noun_name CHECK (started_by_noun ~ '^[a-z_]{1,40}$'),
    started_by_id UUID NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    last_sequence INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_perception_sessions_last_sequence_least CHECK ("last_sequence" >= 0),
    packet_count INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_perception_sessions_packet_count_least CHECK ("packet_count" >= 0),
    memory JSON,
    final_qd_at TIMESTAMP WITH TIME ZONE,
    final_qd_score DOUBLE PRECISION CONSTRAINT ck_perception_sessions_final_qd_score_finite CHECK (1 <= "final_qd_score" AND "final_qd_score" <= 100),
    final_qd_engagement DOUBLE PRECISION CONSTRAINT ck_perception_sessions_final_qd_engagement_finite CHECK (0 <= "final_qd_engagement" AND "final_qd_engagement" <= 1),
    final_qd_valence DOUBLE PRECISION CONSTRAINT ck_perception_sessions_final_qd_valence_finite CHECK (-1 <= "final_qd_valence" AND "final_qd_valence" <= 1),
    final_qd_attention DOUBLE PRECISION CONSTRAINT ck_perception_sessions_final_qd_attention_finite CHECK (0 <= "final_qd_attention" AND "final_qd_attention" <= 1),
    final_qd_confidence DOUBLE PRECISION CONSTRAINT ck_perception_sessions_final_qd_confidence_finite CHECK (0 <= "final_qd_confidence" AND "final_qd_confidence" <= 1),
    refined_qd_at TIMESTAMP WITH TIME ZONE,
    refined_qd_score DOUBLE PRECISION CONSTRAINT ck_perception_sessions_refined_qd_score_finite CHECK (1 <= "refined_qd_score" AND "refined_qd_score" <= 100),
    refined_qd_engagement DOUBLE PRECISION CONSTRAINT ck_perception_sessions_refined_qd_engagement_finite CHECK (0 <= "refined_qd_engagement" AND "refined_qd_engagement" <= 1),
    refined_qd_valence DOUBLE PRECISION CONSTRAINT ck_perception_sessions_refined_qd_valence_finite CHECK (-1 <= "refined_qd_valence" AND "refined_qd_valence" <= 1),
    refined_qd_attention DOUBLE PRECISION CONSTRAINT ck_perception_sessions_refined_qd_attention_finite CHECK (0 <= "refined_qd_attention" AND "refined_qd_attention" <= 1),
    refined_qd_confidence DOUBLE PRECISION CONSTRAINT ck_perception_sessions_refined_qd_confidence_finite CHECK (0 <= "refined_qd_confidence" AND "refined_qd_confidence" <= 1),
    peak_score DOUBLE PRECISION CONSTRAINT ck_perception_sessions_peak_score_finite CHECK (1 <= "peak_score" AND "peak_score" <= 100),
    peak_scene_id UUID,
    measured BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_perception_sessions PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_perception_sessions_started_by_whole CHECK ((started_by_noun IS NULL) = (started_by_id IS NULL)),
    CONSTRAINT ck_perception_sessions_ended_at_if_ended CHECK ((status = 'RUNNING') = (ended_at IS NULL)),
    CONSTRAINT ck_perception_sessions_memory_while_running CHECK (status = 'RUNNING' OR memory IS NULL),
    CONSTRAINT fk_perception_sessions_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_perception_sessions_tenant_id_consent_id FOREIGN KEY(tenant_id, consent_id) REFERENCES consents (tenant_id, id),
    CONSTRAINT fk_perception_sessions_tenant_id_video_id FOREIGN KEY(tenant_id, video_id) REFERENCES videos (tenant_id, id)
);

CREATE INDEX ix_perception_sessions_started_at ON perception_sessions (started_at) WHERE measured;

CREATE INDEX ix_perception_sessions_tenant_id_consent_id ON perception_sessions (tenant_id, consent_id);

CREATE INDEX ix_perception_sessions_tenant_id_person_id_started_at_id ON perception_sessions (tenant_id, person_id, started_at, id);

CREATE INDEX ix_perception_sessions_tenant_id_started_at_id ON perception_sessions (tenant_id, started_at, id);

CREATE TABLE perception_batches (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    sequence INTEGER NOT NULL CONSTRAINT ck_perception_batches_sequence_least CHECK ("sequence" >= 1),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted_count INTEGER NOT NULL CONSTRAINT ck_perception_batches_accepted_count_least CHECK ("accepted_count" >= 0),
    scene_id UUID,
    qd_at TIMESTAMP WITH TIME ZONE,
    qd_score DOUBLE PRECISION CONSTRAINT ck_perception_batches_qd_score_finite CHECK (1 <= "qd_score" AND "qd_score" <= 100),
    qd_engagement DOUBLE PRECISION CONSTRAINT ck_perception_batches_qd_engagement_finite CHECK (0 <= "qd_engagement" AND "qd_engagement" <= 1),
    qd_valence DOUBLE PRECISION CONSTRAINT ck_perception_batches_qd_valence_finite CHECK (-1 <= "qd_valence" AND "qd_valence" <= 1),
    qd_attention DOUBLE PRECISION CONSTRAINT ck_perception_batches_qd_attention_finite CHECK (0 <= "qd_attention" AND "qd_attention" <= 1),
    qd_confidence DOUBLE PRECISION CONSTRAINT ck_perception_batches_qd_confidence_finite CHECK (0 <= "qd_confidence" AND "qd_confidence" <= 1),
    CONSTRAINT pk_perception_batches PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_perception_batches_tenant_id_session_id FOREIGN KEY(tenant_id, session_id) REFERENCES perception_sessions (tenant_id, id),
    CONSTRAINT uq_perception_batches_tenant_id_session_id_sequence UNIQUE (tenant_id, session_id, sequence)
);

CREATE TABLE visitor_scores (
    tenant_id UUID NOT NULL,
    session_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_visitor_scores_kind_known CHECK ("kind" IN ('LIVE', 'SESSION', 'PROFILE')),
    source TEXT NOT NULL CONSTRAINT ck_visitor_scores_source_known CHECK ("source" IN ('RULES', 'MODEL', 'IMPORTED')),
    score DOUBLE PRECISION NOT NULL CONSTRAINT ck_visitor_scores_score_finite CHECK (1 <= "score" AND "score" <= 100),
    engagement DOUBLE PRECISION CONSTRAINT ck_visitor_scores_engagement_finite CHECK (0 <= "engagement" AND "engagement" <= 1),
    valence DOUBLE PRECISION CONSTRAINT ck_visitor_scores_valence_finite CHECK (-1 <= "valence" AND "valence" <= 1),
    attention DOUBLE PRECISION CONSTRAINT ck_visitor_scores_attention_finite CHECK (0 <= "attention" AND "attention" <= 1),
    confidence DOUBLE PRECISION CONSTRAINT ck_visitor_scores_confidence_finite CHECK (0 <= "confidence" AND "confidence" <= 1),
    CONSTRAINT pk_visitor_scores PRIMARY KEY (tenant_id, session_id, at, id),
    CONSTRAINT fk_visitor_scores_tenant_id_session_id FOREIGN KEY(tenant_id, session_id) REFERENCES perception_sessions (tenant_id, id)
);

CREATE TABLE erasures (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    consent_id UUID NOT NULL,
    person_id UUID,
    scope TEXT NOT NULL CONSTRAINT ck_erasures_scope_known CHECK ("scope" IN ('SUBJECT', 'CONSENT')),
    status TEXT NOT NULL CONSTRAINT ck_erasures_status_known CHECK ("status" IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')),
    requested_by_noun TEXT NOT NULL CONSTRAINT ck_erasures_requested_by_noun_name CHECK (requested_by_noun ~ '^[a-z_]{1,40}$'),
    requested_by_id UUID NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_erasures PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_erasures_requested_by_whole CHECK ((requested_by_noun IS NULL) = (requested_by_id IS NULL)),
    CONSTRAINT ck_erasures_finished_at_if_done CHECK ((status = 'DONE') = (finished_at IS NOT NULL)),
    CONSTRAINT fk_erasures_tenant_id_consent_id FOREIGN KEY(tenant_id, consent_id) REFERENCES consents (tenant_id, id),
    CONSTRAINT fk_erasures_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id)
);

CREATE INDEX ix_erasures_requested_at ON erasures (requested_at) WHERE status <> 'DONE';

CREATE INDEX ix_erasures_tenant_id_consent_id_requested_at ON erasures (tenant_id, consent_id, requested_at);

CREATE INDEX ix_erasures_tenant_id_person_id ON erasures (tenant_id, person_id);

CREATE INDEX ix_erasures_tenant_id_requested_at_id ON erasures (tenant_id, requested_at, id);

CREATE TABLE erasure_receipts (
    tenant_id UUID NOT NULL,
    erasure_id UUID NOT NULL,
    store TEXT NOT NULL CONSTRAINT ck_erasure_receipts_store_length CHECK (char_length("store") BETWEEN 1 AND 60),
    erased_rows INTEGER NOT NULL CONSTRAINT ck_erasure_receipts_erased_rows_least CHECK ("erased_rows" >= 0),
    erased_at TIMESTAMP WITH TIME ZONE NOT NULL,
    proof_hash BYTEA NOT NULL CONSTRAINT ck_erasure_receipts_proof_hash_is_sha256 CHECK (octet_length(proof_hash) = 32),
    CONSTRAINT pk_erasure_receipts PRIMARY KEY (tenant_id, erasure_id, store),
    CONSTRAINT fk_erasure_receipts_tenant_id_erasure_id FOREIGN KEY(tenant_id, erasure_id) REFERENCES erasures (tenant_id, id)
);

CREATE TABLE notifications (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_notifications_kind_known CHECK ("kind" IN ('QD_SPIKE', 'SESSION_COMPLETE', 'LEAD_TAGGED', 'TASK_DUE')),
    rule TEXT NOT NULL CONSTRAINT ck_notifications_rule_length CHECK (char_length("rule") BETWEEN 1 AND 300),
    title TEXT NOT NULL CONSTRAINT ck_notifications_title_length CHECK (char_length("title") BETWEEN 1 AND 200),
    body TEXT CONSTRAINT ck_notifications_body_length CHECK (char_length("body") BETWEEN 0 AND 2000),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE,
    subject_noun TEXT CONSTRAINT ck_notifications_subject_noun_name CHECK (subject_noun ~ '^[a-z_]{1,40}$'),
    subject_id UUID,
    CONSTRAINT pk_notifications PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_notifications_subject_whole CHECK ((subject_noun IS NULL) = (subject_id IS NULL)),
    CONSTRAINT fk_notifications_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_notifications_tenant_id_user_id_at_id ON notifications (tenant_id, user_id, at, id);

-- A consent is recorded by a user or by an API key.
ALTER TABLE consents DROP CONSTRAINT fk_consents_tenant_id_recorded_by_id;

ALTER TABLE tasks ADD COLUMN notified_due_at TIMESTAMP WITH TIME ZONE;

CREATE INDEX ix_tasks_due_at ON tasks (due_at) WHERE status = 'OPEN';
