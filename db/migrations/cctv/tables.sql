-- Camera events. Each statement ends in a semicolon and a blank line.

CREATE TABLE cctv_events (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_cctv_events_kind_known CHECK ("kind" IN ('ARRIVAL', 'SIGHTING', 'DETECTIONS')),
    camera TEXT NOT NULL CONSTRAINT ck_cctv_events_camera_length CHECK (char_length("camera") BETWEEN 1 AND 100),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    detections JSON NOT NULL,
    plate BYTEA CONSTRAINT ck_cctv_events_plate_is_a_token CHECK (octet_length(plate) = 32),
    session_id UUID,
    sent_by_noun TEXT NOT NULL CONSTRAINT ck_cctv_events_sent_by_noun_name CHECK (sent_by_noun ~ '^[a-z_]{1,40}$'),
    sent_by_id UUID NOT NULL,
    summary TEXT CONSTRAINT ck_cctv_events_summary_length CHECK (char_length("summary") BETWEEN 1 AND 1000),
    profiled_at TIMESTAMP WITH TIME ZONE,
    profile_visitor_kind TEXT CONSTRAINT ck_cctv_events_profile_visitor_kind_length CHECK (char_length("profile_visitor_kind") BETWEEN 1 AND 100),
    profile_vehicle TEXT CONSTRAINT ck_cctv_events_profile_vehicle_length CHECK (char_length("profile_vehicle") BETWEEN 1 AND 200),
    profile_confidence DOUBLE PRECISION CONSTRAINT ck_cctv_events_profile_confidence_finite CHECK (0 <= "profile_confidence" AND "profile_confidence" <= 1),
    profile_model TEXT CONSTRAINT ck_cctv_events_profile_model_length CHECK (char_length("profile_model") BETWEEN 1 AND 200),
    profile_prompt_version TEXT CONSTRAINT ck_cctv_events_profile_prompt_version_length CHECK (char_length("profile_prompt_version") BETWEEN 1 AND 100),
    profile_prompt_hash TEXT CONSTRAINT ck_cctv_events_profile_prompt_hash_length CHECK (char_length("profile_prompt_hash") BETWEEN 1 AND 100),
    assessed_at TIMESTAMP WITH TIME ZONE,
    risk_score INTEGER CONSTRAINT ck_cctv_events_risk_score_least CHECK ("risk_score" >= 0),
    risk_summary TEXT CONSTRAINT ck_cctv_events_risk_summary_length CHECK (char_length("risk_summary") BETWEEN 1 AND 1000),
    risk_reasoning TEXT CONSTRAINT ck_cctv_events_risk_reasoning_length CHECK (char_length("risk_reasoning") BETWEEN 1 AND 4000),
    risk_model TEXT CONSTRAINT ck_cctv_events_risk_model_length CHECK (char_length("risk_model") BETWEEN 1 AND 200),
    risk_prompt_version TEXT CONSTRAINT ck_cctv_events_risk_prompt_version_length CHECK (char_length("risk_prompt_version") BETWEEN 1 AND 100),
    risk_prompt_hash TEXT CONSTRAINT ck_cctv_events_risk_prompt_hash_length CHECK (char_length("risk_prompt_hash") BETWEEN 1 AND 100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_cctv_events PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_cctv_events_sent_by_whole CHECK ((sent_by_noun IS NULL) = (sent_by_id IS NULL)),
    CONSTRAINT ck_cctv_events_profile_whole CHECK ((profiled_at IS NULL) = (profile_confidence IS NULL) AND (profiled_at IS NULL) = (profile_model IS NULL) AND (profiled_at IS NULL) = (profile_prompt_version IS NULL)),
    CONSTRAINT ck_cctv_events_risk_whole CHECK ((assessed_at IS NULL) = (risk_score IS NULL) AND (assessed_at IS NULL) = (risk_summary IS NULL) AND (assessed_at IS NULL) = (risk_reasoning IS NULL)),
    CONSTRAINT ck_cctv_events_risk_score_most CHECK (risk_score <= 100),
    CONSTRAINT fk_cctv_events_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT fk_cctv_events_tenant_id_session_id FOREIGN KEY(tenant_id, session_id) REFERENCES perception_sessions (tenant_id, id)
);

CREATE INDEX ix_cctv_events_tenant_id_at_id ON cctv_events (tenant_id, at, id);

CREATE INDEX ix_cctv_events_tenant_id_plate_at ON cctv_events (tenant_id, plate, at);

CREATE INDEX ix_cctv_events_tenant_id_session_id_at_id ON cctv_events (tenant_id, session_id, at, id);
