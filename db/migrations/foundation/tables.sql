-- Every table of the first release, in the order of their foreign keys.

CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    actor_id UUID NOT NULL,
    key TEXT NOT NULL CONSTRAINT ck_idempotency_keys_key_length CHECK (char_length("key") BETWEEN 1 AND 200),
    operation TEXT NOT NULL CONSTRAINT ck_idempotency_keys_operation_length CHECK (char_length("operation") BETWEEN 1 AND 100),
    payload_hash BYTEA NOT NULL,
    result JSON,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, actor_id, key)
);

CREATE INDEX ix_idempotency_keys_tenant_id_created_at ON idempotency_keys (tenant_id, created_at);

CREATE TABLE qd_rollups (
    tenant_id UUID NOT NULL,
    person_id UUID NOT NULL,
    source TEXT NOT NULL CONSTRAINT ck_qd_rollups_source_known CHECK ("source" IN ('RULES', 'MODEL', 'IMPORTED')),
    kind TEXT NOT NULL CONSTRAINT ck_qd_rollups_kind_known CHECK ("kind" IN ('LIVE', 'SESSION', 'PROFILE')),
    hour TIMESTAMP WITH TIME ZONE NOT NULL,
    low DOUBLE PRECISION NOT NULL CONSTRAINT ck_qd_rollups_low_finite CHECK (1 <= "low" AND "low" <= 100),
    high DOUBLE PRECISION NOT NULL CONSTRAINT ck_qd_rollups_high_finite CHECK (1 <= "high" AND "high" <= 100),
    total DOUBLE PRECISION NOT NULL CONSTRAINT ck_qd_rollups_total_finite CHECK (0 <= "total" AND "total" < 'Infinity'::double precision),
    scores INTEGER NOT NULL CONSTRAINT ck_qd_rollups_scores_counted CHECK (scores >= 0),
    CONSTRAINT pk_qd_rollups PRIMARY KEY (tenant_id, person_id, source, kind, hour)
);

CREATE TABLE sign_in_attempts (
    id UUID NOT NULL,
    account_hash BYTEA NOT NULL,
    address_hash BYTEA NOT NULL,
    succeeded BOOLEAN DEFAULT false NOT NULL,
    attempted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sign_in_attempts PRIMARY KEY (id)
);

CREATE INDEX ix_sign_in_attempts_account_hash_attempted_at ON sign_in_attempts (account_hash, attempted_at);

CREATE INDEX ix_sign_in_attempts_address_hash_attempted_at ON sign_in_attempts (address_hash, attempted_at);

CREATE INDEX ix_sign_in_attempts_attempted_at ON sign_in_attempts (attempted_at);

CREATE TABLE tenants (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_tenants_name_length CHECK (char_length("name") BETWEEN 1 AND 200),
    time_zone TEXT NOT NULL CONSTRAINT ck_tenants_time_zone_length CHECK (char_length("time_zone") BETWEEN 1 AND 64),
    currency TEXT NOT NULL CONSTRAINT ck_tenants_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    high_value_amount NUMERIC(18, 2) CONSTRAINT ck_tenants_high_value_amount_sane CHECK (high_value_amount >= 0 AND high_value_amount <> 'NaN'),
    high_value_currency TEXT CONSTRAINT ck_tenants_high_value_currency_code CHECK (high_value_currency ~ '^[A-Z]{3}$'),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tenants PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_tenants_high_value_whole CHECK ((high_value_amount IS NULL) = (high_value_currency IS NULL)),
    CONSTRAINT ck_tenants_id_is_tenant_id CHECK (id = tenant_id),
    CONSTRAINT uq_tenants_tenant_id UNIQUE (tenant_id)
);

CREATE TABLE accounts (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_accounts_name_length CHECK (char_length("name") BETWEEN 1 AND 200),
    kind TEXT NOT NULL CONSTRAINT ck_accounts_kind_known CHECK ("kind" IN ('COMPANY', 'FAMILY_OFFICE', 'TRUST', 'OTHER')),
    city TEXT CONSTRAINT ck_accounts_city_length CHECK (char_length("city") BETWEEN 0 AND 100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_accounts PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_accounts_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_accounts_tenant_id_name_id ON accounts (tenant_id, name, id);

CREATE TABLE audit_entries (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    sequence BIGINT NOT NULL CONSTRAINT ck_audit_entries_sequence_positive CHECK (sequence > 0),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    action TEXT NOT NULL CONSTRAINT ck_audit_entries_action_known CHECK ("action" IN ('CREATE', 'UPDATE', 'ARCHIVE', 'DELETE', 'MERGE', 'DECIDE', 'GRANT', 'WITHDRAW', 'SIGN_IN', 'SIGN_OUT')),
    actor_noun TEXT CONSTRAINT ck_audit_entries_actor_noun_name CHECK (actor_noun ~ '^[a-z_]{1,40}$'),
    actor_id UUID,
    subject_noun TEXT CONSTRAINT ck_audit_entries_subject_noun_name CHECK (subject_noun ~ '^[a-z_]{1,40}$'),
    subject_id UUID,
    changed_fields TEXT[] DEFAULT '{}'::text[] NOT NULL,
    previous_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT pk_audit_entries PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_audit_entries_actor_whole CHECK ((actor_noun IS NULL) = (actor_id IS NULL)),
    CONSTRAINT ck_audit_entries_subject_whole CHECK ((subject_noun IS NULL) = (subject_id IS NULL)),
    CONSTRAINT ck_audit_entries_hash_sha256 CHECK (octet_length(previous_hash) = 32 AND octet_length(hash) = 32),
    CONSTRAINT fk_audit_entries_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_audit_entries_tenant_id_sequence UNIQUE (tenant_id, sequence)
);

CREATE INDEX ix_audit_entries_tenant_id_actor_noun_actor_id_sequence_id ON audit_entries (tenant_id, actor_noun, actor_id, sequence, id);

CREATE INDEX ix_audit_entries_tenant_id_at_id ON audit_entries (tenant_id, at, id);

CREATE INDEX ix_audit_entries_tenant_id_subject_noun_subject_id_sequence_id ON audit_entries (tenant_id, subject_noun, subject_id, sequence, id);

CREATE TABLE events (
    tenant_id UUID NOT NULL,
    sequence BIGINT NOT NULL CONSTRAINT ck_events_sequence_positive CHECK (sequence > 0),
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_events_kind_length CHECK (char_length("kind") BETWEEN 1 AND 60),
    actor_noun TEXT CONSTRAINT ck_events_actor_noun_name CHECK (actor_noun ~ '^[a-z_]{1,40}$'),
    actor_id UUID,
    subject_noun TEXT CONSTRAINT ck_events_subject_noun_name CHECK (subject_noun ~ '^[a-z_]{1,40}$'),
    subject_id UUID,
    person_id UUID,
    payload JSON NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (tenant_id, sequence),
    CONSTRAINT ck_events_actor_whole CHECK ((actor_noun IS NULL) = (actor_id IS NULL)),
    CONSTRAINT ck_events_subject_whole CHECK ((subject_noun IS NULL) = (subject_id IS NULL)),
    CONSTRAINT fk_events_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_events_tenant_id_id UNIQUE (tenant_id, id)
);

CREATE INDEX ix_events_tenant_id_at ON events (tenant_id, at);

CREATE TABLE households (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_households_name_length CHECK (char_length("name") BETWEEN 1 AND 200),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_households PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_households_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_households_tenant_id_created_at_id ON households (tenant_id, created_at, id);

CREATE TABLE persisted_operations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    document_id TEXT NOT NULL CONSTRAINT ck_persisted_operations_document_id_length CHECK (char_length("document_id") BETWEEN 71 AND 71),
    name TEXT NOT NULL CONSTRAINT ck_persisted_operations_name_length CHECK (char_length("name") BETWEEN 1 AND 200),
    kind TEXT NOT NULL CONSTRAINT ck_persisted_operations_kind_known CHECK ("kind" IN ('QUERY', 'MUTATION', 'SUBSCRIPTION')),
    text TEXT NOT NULL CONSTRAINT ck_persisted_operations_text_length CHECK (char_length("text") BETWEEN 1 AND 100000),
    alias TEXT CONSTRAINT ck_persisted_operations_alias_length CHECK (char_length("alias") BETWEEN 1 AND 128),
    registered_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_persisted_operations PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_persisted_operations_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_persisted_operations_tenant_id_document_id UNIQUE (tenant_id, document_id)
);

CREATE INDEX ix_persisted_operations_tenant_id_registered_at_id ON persisted_operations (tenant_id, registered_at, id);

CREATE TABLE projects (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_projects_name_length CHECK (char_length("name") BETWEEN 1 AND 200),
    city TEXT CONSTRAINT ck_projects_city_length CHECK (char_length("city") BETWEEN 0 AND 100),
    country TEXT CONSTRAINT ck_projects_country_code CHECK (country ~ '^[A-Z]{2}$'),
    developer_name TEXT CONSTRAINT ck_projects_developer_name_length CHECK (char_length("developer_name") BETWEEN 0 AND 200),
    property_count INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_projects_property_count_least CHECK ("property_count" >= 0),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_projects PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_projects_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_projects_tenant_id_name UNIQUE (tenant_id, name)
);

CREATE INDEX ix_projects_tenant_id_created_at_id ON projects (tenant_id, created_at, id);

CREATE INDEX ix_projects_tenant_id_name_id ON projects (tenant_id, name, id);

CREATE TABLE proposals (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_proposals_kind_known CHECK ("kind" IN ('LEAD_TAG', 'FACT', 'IMPORT', 'MATCH')),
    status TEXT NOT NULL CONSTRAINT ck_proposals_status_known CHECK ("status" IN ('PENDING', 'APPROVED', 'REJECTED', 'EXPIRED')),
    subject_noun TEXT CONSTRAINT ck_proposals_subject_noun_name CHECK (subject_noun ~ '^[a-z_]{1,40}$'),
    subject_id UUID,
    changes JSON NOT NULL,
    reason TEXT CONSTRAINT ck_proposals_reason_length CHECK (char_length("reason") BETWEEN 0 AND 2000),
    evidence JSON NOT NULL,
    source_kind TEXT NOT NULL CONSTRAINT ck_proposals_source_kind_known CHECK ("source_kind" IN ('MODEL', 'IMPORT', 'MISSION')),
    job_id UUID,
    model TEXT CONSTRAINT ck_proposals_model_length CHECK (char_length("model") BETWEEN 0 AND 200),
    prompt_version TEXT CONSTRAINT ck_proposals_prompt_version_length CHECK (char_length("prompt_version") BETWEEN 0 AND 100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by_noun TEXT CONSTRAINT ck_proposals_decided_by_noun_name CHECK (decided_by_noun ~ '^[a-z_]{1,40}$'),
    decided_by_id UUID,
    comment TEXT CONSTRAINT ck_proposals_comment_length CHECK (char_length("comment") BETWEEN 0 AND 2000),
    CONSTRAINT pk_proposals PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_proposals_subject_whole CHECK ((subject_noun IS NULL) = (subject_id IS NULL)),
    CONSTRAINT ck_proposals_decided_by_whole CHECK ((decided_by_noun IS NULL) = (decided_by_id IS NULL)),
    CONSTRAINT ck_proposals_decided_by_if_decided CHECK ((status IN ('APPROVED', 'REJECTED')) = (decided_by_id IS NOT NULL)),
    CONSTRAINT ck_proposals_decided_at_if_decided CHECK ((status = 'PENDING') = (decided_at IS NULL)),
    CONSTRAINT fk_proposals_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_proposals_tenant_id_created_at_id ON proposals (tenant_id, created_at, id);

CREATE INDEX ix_proposals_tenant_id_kind_status_created_at_id ON proposals (tenant_id, kind, status, created_at, id);

CREATE INDEX ix_proposals_tenant_id_status_created_at_id ON proposals (tenant_id, status, created_at, id);

CREATE INDEX ix_proposals_tenant_id_subject_noun_subject_id ON proposals (tenant_id, subject_noun, subject_id);

CREATE TABLE provider_settings (
    tenant_id UUID NOT NULL,
    channel TEXT NOT NULL CONSTRAINT ck_provider_settings_channel_known CHECK ("channel" IN ('WHATSAPP', 'SMS')),
    provider TEXT NOT NULL CONSTRAINT ck_provider_settings_provider_known CHECK ("provider" IN ('MOCK')),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_provider_settings PRIMARY KEY (tenant_id, channel),
    CONSTRAINT fk_provider_settings_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE system_actors (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_system_actors_name_length CHECK (char_length("name") BETWEEN 1 AND 60),
    display_name TEXT NOT NULL CONSTRAINT ck_system_actors_display_name_length CHECK (char_length("display_name") BETWEEN 1 AND 100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_system_actors PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_system_actors_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_system_actors_tenant_id_name UNIQUE (tenant_id, name)
);

CREATE TABLE tags (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_tags_name_length CHECK (char_length("name") BETWEEN 1 AND 50),
    description TEXT CONSTRAINT ck_tags_description_length CHECK (char_length("description") BETWEEN 0 AND 500),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tags PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_tags_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_tags_tenant_id_name UNIQUE (tenant_id, name)
);

CREATE TABLE teams (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_teams_name_length CHECK (char_length("name") BETWEEN 1 AND 100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_teams PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_teams_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_teams_tenant_id_name UNIQUE (tenant_id, name)
);

CREATE TABLE tenant_heads (
    tenant_id UUID NOT NULL,
    event_sequence BIGINT DEFAULT 0 NOT NULL CONSTRAINT ck_tenant_heads_event_sequence_least CHECK (event_sequence >= 0),
    audit_sequence BIGINT DEFAULT 0 NOT NULL CONSTRAINT ck_tenant_heads_audit_sequence_least CHECK (audit_sequence >= 0),
    audit_hash BYTEA DEFAULT decode(repeat('00', 32), 'hex') NOT NULL CONSTRAINT ck_tenant_heads_audit_hash_sha256 CHECK (octet_length(audit_hash) = 32),
    CONSTRAINT pk_tenant_heads PRIMARY KEY (tenant_id),
    CONSTRAINT fk_tenant_heads_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE uploads (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    purpose TEXT NOT NULL CONSTRAINT ck_uploads_purpose_known CHECK ("purpose" IN ('AVATAR', 'PROPERTY_MEDIA', 'ROOM_PHOTO', 'SCENE_MAP')),
    content_type TEXT NOT NULL CONSTRAINT ck_uploads_content_type_length CHECK (char_length("content_type") BETWEEN 1 AND 100),
    bytes INTEGER NOT NULL CONSTRAINT ck_uploads_bytes_least CHECK ("bytes" >= 1),
    object_key TEXT NOT NULL CONSTRAINT ck_uploads_object_key_length CHECK (char_length("object_key") BETWEEN 1 AND 500),
    state TEXT NOT NULL CONSTRAINT ck_uploads_state_known CHECK ("state" IN ('ANNOUNCED', 'STORED', 'CONSUMED')),
    digest BYTEA CONSTRAINT ck_uploads_digest_is_sha256 CHECK (octet_length(digest) = 32),
    stored_bytes INTEGER CONSTRAINT ck_uploads_stored_bytes_least CHECK ("stored_bytes" >= 1),
    width INTEGER CONSTRAINT ck_uploads_width_least CHECK ("width" >= 1),
    height INTEGER CONSTRAINT ck_uploads_height_least CHECK ("height" >= 1),
    created_by_noun TEXT NOT NULL CONSTRAINT ck_uploads_created_by_noun_name CHECK (created_by_noun ~ '^[a-z_]{1,40}$'),
    created_by_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE,
    consumed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_uploads PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_uploads_created_by_whole CHECK ((created_by_noun IS NULL) = (created_by_id IS NULL)),
    CONSTRAINT ck_uploads_object_key_stands_in_addresses CHECK (object_key ~ '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$'),
    CONSTRAINT ck_uploads_stored_whole CHECK ((state = 'ANNOUNCED') = (stored_at IS NULL)),
    CONSTRAINT ck_uploads_stored_bytes_whole CHECK ((state = 'ANNOUNCED') = (stored_bytes IS NULL)),
    CONSTRAINT ck_uploads_consumed_whole CHECK ((state = 'CONSUMED') = (consumed_at IS NOT NULL)),
    CONSTRAINT fk_uploads_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_uploads_tenant_id_object_key UNIQUE (tenant_id, object_key)
);

CREATE INDEX ix_uploads_expires_at ON uploads (expires_at) WHERE state <> 'CONSUMED';

CREATE INDEX ix_uploads_tenant_id_created_by_id_state ON uploads (tenant_id, created_by_id, state);

CREATE TABLE users (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    full_name TEXT NOT NULL CONSTRAINT ck_users_full_name_length CHECK (char_length("full_name") BETWEEN 1 AND 200),
    email TEXT NOT NULL CONSTRAINT ck_users_email_length CHECK (char_length("email") BETWEEN 3 AND 254),
    role TEXT NOT NULL CONSTRAINT ck_users_role_known CHECK ("role" IN ('ADMIN', 'SALES_DIRECTOR', 'SENIOR_BROKER', 'JUNIOR_BROKER')),
    status TEXT NOT NULL CONSTRAINT ck_users_status_known CHECK ("status" IN ('INVITED', 'ACTIVE', 'SUSPENDED')),
    avatar_key TEXT CONSTRAINT ck_users_avatar_key_length CHECK (char_length("avatar_key") BETWEEN 0 AND 500),
    last_seen_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_users_tenant_id_created_at_id ON users (tenant_id, created_at, id);

CREATE INDEX ix_users_tenant_id_full_name_id ON users (tenant_id, full_name, id);

CREATE TABLE api_keys (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    display_name TEXT NOT NULL CONSTRAINT ck_api_keys_display_name_length CHECK (char_length("display_name") BETWEEN 1 AND 100),
    prefix TEXT NOT NULL CONSTRAINT ck_api_keys_prefix_length CHECK (char_length("prefix") BETWEEN 4 AND 20),
    secret_hash BYTEA NOT NULL,
    previous_secret_hash BYTEA,
    previous_expires_at TIMESTAMP WITH TIME ZONE,
    role TEXT NOT NULL CONSTRAINT ck_api_keys_role_known CHECK ("role" IN ('ADMIN', 'SALES_DIRECTOR', 'SENIOR_BROKER', 'JUNIOR_BROKER')),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_by_id UUID,
    CONSTRAINT pk_api_keys PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_api_keys_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT fk_api_keys_tenant_id_created_by_id FOREIGN KEY(tenant_id, created_by_id) REFERENCES users (tenant_id, id),
    CONSTRAINT ck_api_keys_previous_whole CHECK ((previous_secret_hash IS NULL) = (previous_expires_at IS NULL)),
    CONSTRAINT uq_api_keys_tenant_id_secret_hash UNIQUE (tenant_id, secret_hash)
);

CREATE INDEX ix_api_keys_previous_secret_hash ON api_keys (previous_secret_hash);

CREATE INDEX ix_api_keys_secret_hash ON api_keys (secret_hash);

CREATE INDEX ix_api_keys_tenant_id_created_at_id ON api_keys (tenant_id, created_at, id);

CREATE TABLE people (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    full_name TEXT NOT NULL CONSTRAINT ck_people_full_name_length CHECK (char_length("full_name") BETWEEN 1 AND 200),
    primary_phone_e164 TEXT CONSTRAINT ck_people_primary_phone_e164_form CHECK (primary_phone_e164 ~ '^\+[1-9][0-9]{4,14}$'),
    primary_phone_country TEXT CONSTRAINT ck_people_primary_phone_country_form CHECK (primary_phone_country ~ '^[A-Z]{2}$'),
    primary_phone_raw TEXT CONSTRAINT ck_people_primary_phone_raw_length CHECK (char_length("primary_phone_raw") BETWEEN 0 AND 64),
    primary_email TEXT CONSTRAINT ck_people_primary_email_length CHECK (char_length("primary_email") BETWEEN 3 AND 254),
    primary_email_normalised TEXT CONSTRAINT ck_people_primary_email_normalised_length CHECK (char_length("primary_email_normalised") BETWEEN 3 AND 254),
    city TEXT CONSTRAINT ck_people_city_length CHECK (char_length("city") BETWEEN 0 AND 100),
    contact_type TEXT CONSTRAINT ck_people_contact_type_known CHECK ("contact_type" IN ('BUYER', 'SELLER', 'INVESTOR', 'LANDLORD', 'TENANT', 'BROKER', 'DEVELOPER', 'OTHER')),
    household_id UUID,
    merged_into_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_contacted_at TIMESTAMP WITH TIME ZONE,
    next_best_action_kind TEXT CONSTRAINT ck_people_next_best_action_kind_known CHECK ("next_best_action_kind" IN ('CALL', 'MESSAGE', 'VISIT', 'REVIEW')),
    next_best_action_title TEXT CONSTRAINT ck_people_next_best_action_title_length CHECK (char_length("next_best_action_title") BETWEEN 0 AND 200),
    next_best_action_reason TEXT CONSTRAINT ck_people_next_best_action_reason_length CHECK (char_length("next_best_action_reason") BETWEEN 0 AND 1000),
    next_best_action_due_at TIMESTAMP WITH TIME ZONE,
    next_best_action_computed_at TIMESTAMP WITH TIME ZONE,
    rules_qd_at TIMESTAMP WITH TIME ZONE,
    rules_qd_score DOUBLE PRECISION CONSTRAINT ck_people_rules_qd_score_finite CHECK (1 <= "rules_qd_score" AND "rules_qd_score" <= 100),
    rules_qd_engagement DOUBLE PRECISION CONSTRAINT ck_people_rules_qd_engagement_finite CHECK (0 <= "rules_qd_engagement" AND "rules_qd_engagement" <= 1),
    rules_qd_valence DOUBLE PRECISION CONSTRAINT ck_people_rules_qd_valence_finite CHECK (-1 <= "rules_qd_valence" AND "rules_qd_valence" <= 1),
    rules_qd_attention DOUBLE PRECISION CONSTRAINT ck_people_rules_qd_attention_finite CHECK (0 <= "rules_qd_attention" AND "rules_qd_attention" <= 1),
    rules_qd_confidence DOUBLE PRECISION CONSTRAINT ck_people_rules_qd_confidence_finite CHECK (0 <= "rules_qd_confidence" AND "rules_qd_confidence" <= 1),
    rules_qd_kind TEXT CONSTRAINT ck_people_rules_qd_kind_known CHECK ("rules_qd_kind" IN ('LIVE', 'SESSION', 'PROFILE')),
    model_qd_at TIMESTAMP WITH TIME ZONE,
    model_qd_score DOUBLE PRECISION CONSTRAINT ck_people_model_qd_score_finite CHECK (1 <= "model_qd_score" AND "model_qd_score" <= 100),
    model_qd_engagement DOUBLE PRECISION CONSTRAINT ck_people_model_qd_engagement_finite CHECK (0 <= "model_qd_engagement" AND "model_qd_engagement" <= 1),
    model_qd_valence DOUBLE PRECISION CONSTRAINT ck_people_model_qd_valence_finite CHECK (-1 <= "model_qd_valence" AND "model_qd_valence" <= 1),
    model_qd_attention DOUBLE PRECISION CONSTRAINT ck_people_model_qd_attention_finite CHECK (0 <= "model_qd_attention" AND "model_qd_attention" <= 1),
    model_qd_confidence DOUBLE PRECISION CONSTRAINT ck_people_model_qd_confidence_finite CHECK (0 <= "model_qd_confidence" AND "model_qd_confidence" <= 1),
    model_qd_kind TEXT CONSTRAINT ck_people_model_qd_kind_known CHECK ("model_qd_kind" IN ('LIVE', 'SESSION', 'PROFILE')),
    imported_qd_at TIMESTAMP WITH TIME ZONE,
    imported_qd_score DOUBLE PRECISION CONSTRAINT ck_people_imported_qd_score_finite CHECK (1 <= "imported_qd_score" AND "imported_qd_score" <= 100),
    imported_qd_engagement DOUBLE PRECISION CONSTRAINT ck_people_imported_qd_engagement_finite CHECK (0 <= "imported_qd_engagement" AND "imported_qd_engagement" <= 1),
    imported_qd_valence DOUBLE PRECISION CONSTRAINT ck_people_imported_qd_valence_finite CHECK (-1 <= "imported_qd_valence" AND "imported_qd_valence" <= 1),
    imported_qd_attention DOUBLE PRECISION CONSTRAINT ck_people_imported_qd_attention_finite CHECK (0 <= "imported_qd_attention" AND "imported_qd_attention" <= 1),
    imported_qd_confidence DOUBLE PRECISION CONSTRAINT ck_people_imported_qd_confidence_finite CHECK (0 <= "imported_qd_confidence" AND "imported_qd_confidence" <= 1),
    imported_qd_kind TEXT CONSTRAINT ck_people_imported_qd_kind_known CHECK ("imported_qd_kind" IN ('LIVE', 'SESSION', 'PROFILE')),
    search_name TEXT GENERATED ALWAYS AS (lower(full_name)) STORED NOT NULL,
    search_contact TEXT GENERATED ALWAYS AS (lower(COALESCE(primary_email, '') || ' ' || COALESCE(primary_phone_e164, ''))) STORED NOT NULL,
    name_key TEXT DEFAULT '' NOT NULL CONSTRAINT ck_people_name_key_length CHECK (char_length("name_key") BETWEEN 0 AND 200),
    CONSTRAINT pk_people PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_people_rules_qd_whole CHECK ((rules_qd_at IS NULL) = (rules_qd_score IS NULL) AND (rules_qd_at IS NULL) = (rules_qd_kind IS NULL)),
    CONSTRAINT ck_people_model_qd_whole CHECK ((model_qd_at IS NULL) = (model_qd_score IS NULL) AND (model_qd_at IS NULL) = (model_qd_kind IS NULL)),
    CONSTRAINT ck_people_imported_qd_whole CHECK ((imported_qd_at IS NULL) = (imported_qd_score IS NULL) AND (imported_qd_at IS NULL) = (imported_qd_kind IS NULL)),
    CONSTRAINT ck_people_next_best_action_whole CHECK ((next_best_action_kind IS NULL) = (next_best_action_title IS NULL) AND (next_best_action_kind IS NULL) = (next_best_action_reason IS NULL) AND (next_best_action_kind IS NULL) = (next_best_action_computed_at IS NULL)),
    CONSTRAINT ck_people_merged_into_another CHECK (merged_into_id <> id),
    CONSTRAINT fk_people_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT fk_people_tenant_id_household_id FOREIGN KEY(tenant_id, household_id) REFERENCES households (tenant_id, id),
    CONSTRAINT fk_people_tenant_id_merged_into_id FOREIGN KEY(tenant_id, merged_into_id) REFERENCES people (tenant_id, id)
);

CREATE INDEX ix_people_tenant_id_city_full_name_id ON people (tenant_id, city, full_name, id);

CREATE INDEX ix_people_tenant_id_created_at_id ON people (tenant_id, created_at, id);

CREATE INDEX ix_people_tenant_id_full_name_id ON people (tenant_id, full_name, id);

CREATE INDEX ix_people_tenant_id_household_id_full_name_id ON people (tenant_id, household_id, full_name, id);

CREATE INDEX ix_people_tenant_id_merged_into_id ON people (tenant_id, merged_into_id);

CREATE INDEX ix_people_tenant_id_name_key ON people (tenant_id, name_key);

CREATE INDEX ix_people_tenant_id_primary_email_normalised ON people (tenant_id, primary_email_normalised);

CREATE INDEX ix_people_tenant_id_primary_phone_e164 ON people (tenant_id, primary_phone_e164);

CREATE INDEX ix_people_tenant_id_updated_at_id ON people (tenant_id, updated_at, id);

CREATE TABLE properties (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    listing_key TEXT NOT NULL CONSTRAINT ck_properties_listing_key_length CHECK (char_length("listing_key") BETWEEN 1 AND 255),
    project_id UUID,
    standard_status TEXT NOT NULL CONSTRAINT ck_properties_standard_status_known CHECK ("standard_status" IN ('ACTIVE', 'ACTIVE_UNDER_CONTRACT', 'CANCELED', 'CLOSED', 'COMING_SOON', 'DELETE', 'EXPIRED', 'HOLD', 'INCOMPLETE', 'PENDING', 'WITHDRAWN')),
    property_type TEXT NOT NULL CONSTRAINT ck_properties_property_type_known CHECK ("property_type" IN ('BUSINESS_OPPORTUNITY', 'COMMERCIAL_LEASE', 'COMMERCIAL_SALE', 'FARM', 'LAND', 'MANUFACTURED_IN_PARK', 'RESIDENTIAL', 'RESIDENTIAL_INCOME', 'RESIDENTIAL_LEASE')),
    property_sub_type TEXT CONSTRAINT ck_properties_property_sub_type_known CHECK ("property_sub_type" IN ('APARTMENT', 'CONDOMINIUM', 'DUPLEX', 'SINGLE_FAMILY_RESIDENCE', 'TOWNHOUSE', 'VILLA', 'OFFICE', 'RETAIL', 'WAREHOUSE', 'MIXED_USE', 'UNIMPROVED_LAND')),
    list_price_amount NUMERIC(18, 2) NOT NULL CONSTRAINT ck_properties_list_price_amount_sane CHECK (list_price_amount >= 0 AND list_price_amount <> 'NaN'),
    list_price_currency TEXT NOT NULL CONSTRAINT ck_properties_list_price_currency_code CHECK (list_price_currency ~ '^[A-Z]{3}$'),
    bedrooms_total INTEGER CONSTRAINT ck_properties_bedrooms_total_least CHECK ("bedrooms_total" >= 0),
    bathrooms_total_integer INTEGER CONSTRAINT ck_properties_bathrooms_total_integer_least CHECK ("bathrooms_total_integer" >= 0),
    living_area DOUBLE PRECISION CONSTRAINT ck_properties_living_area_finite CHECK (0 <= "living_area" AND "living_area" <= 10000000),
    living_area_units TEXT CONSTRAINT ck_properties_living_area_units_known CHECK ("living_area_units" IN ('SQUARE_FEET', 'SQUARE_METERS')),
    unparsed_address TEXT CONSTRAINT ck_properties_unparsed_address_length CHECK (char_length("unparsed_address") BETWEEN 0 AND 500),
    city TEXT CONSTRAINT ck_properties_city_length CHECK (char_length("city") BETWEEN 0 AND 100),
    state_or_province TEXT CONSTRAINT ck_properties_state_or_province_length CHECK (char_length("state_or_province") BETWEEN 0 AND 100),
    country TEXT CONSTRAINT ck_properties_country_code CHECK (country ~ '^[A-Z]{2}$'),
    latitude DOUBLE PRECISION CONSTRAINT ck_properties_latitude_finite CHECK (-90 <= "latitude" AND "latitude" <= 90),
    longitude DOUBLE PRECISION CONSTRAINT ck_properties_longitude_finite CHECK (-180 <= "longitude" AND "longitude" <= 180),
    public_remarks TEXT CONSTRAINT ck_properties_public_remarks_length CHECK (char_length("public_remarks") BETWEEN 0 AND 4000),
    year_built INTEGER CONSTRAINT ck_properties_year_built_sane CHECK (year_built BETWEEN 1000 AND 3000),
    development_status TEXT CONSTRAINT ck_properties_development_status_known CHECK ("development_status" IN ('PROPOSED', 'UNDER_CONSTRUCTION', 'COMPLETED')),
    original_entry_timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
    status_change_timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
    price_change_timestamp TIMESTAMP WITH TIME ZONE,
    off_plan BOOLEAN DEFAULT false NOT NULL,
    handover_on DATE,
    permit_number TEXT CONSTRAINT ck_properties_permit_number_length CHECK (char_length("permit_number") BETWEEN 0 AND 100),
    service_charge_per_area_amount NUMERIC(18, 2) CONSTRAINT ck_properties_service_charge_per_area_amount_sane CHECK (service_charge_per_area_amount >= 0 AND service_charge_per_area_amount <> 'NaN'),
    service_charge_per_area_currency TEXT CONSTRAINT ck_properties_service_charge_per_area_currency_code CHECK (service_charge_per_area_currency ~ '^[A-Z]{3}$'),
    carpet_area DOUBLE PRECISION CONSTRAINT ck_properties_carpet_area_finite CHECK (0 <= "carpet_area" AND "carpet_area" <= 10000000),
    archived_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_properties PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_properties_list_price_whole CHECK ((list_price_amount IS NULL) = (list_price_currency IS NULL)),
    CONSTRAINT ck_properties_service_charge_per_area_whole CHECK ((service_charge_per_area_amount IS NULL) = (service_charge_per_area_currency IS NULL)),
    CONSTRAINT ck_properties_living_area_whole CHECK ((living_area IS NULL) = (living_area_units IS NULL)),
    CONSTRAINT fk_properties_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT fk_properties_tenant_id_project_id FOREIGN KEY(tenant_id, project_id) REFERENCES projects (tenant_id, id),
    CONSTRAINT uq_properties_tenant_id_listing_key UNIQUE (tenant_id, listing_key)
);

CREATE INDEX ix_properties_tenant_id_city_created_at_id ON properties (tenant_id, city, created_at, id);

CREATE INDEX ix_properties_tenant_id_created_at_id ON properties (tenant_id, created_at, id);

CREATE INDEX ix_properties_tenant_id_list_price_amount_id ON properties (tenant_id, list_price_amount, id);

CREATE INDEX ix_properties_tenant_id_project_id_created_at_id ON properties (tenant_id, project_id, created_at, id);

CREATE INDEX ix_properties_tenant_id_standard_status_created_at_id ON properties (tenant_id, standard_status, created_at, id);

CREATE TABLE sessions (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    reuse_detected_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sessions PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_sessions_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_sessions_tenant_id_user_id_created_at_id ON sessions (tenant_id, user_id, created_at, id);

CREATE TABLE sign_ins (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    email_normalised TEXT NOT NULL CONSTRAINT ck_sign_ins_email_normalised_length CHECK (char_length("email_normalised") BETWEEN 3 AND 254),
    password_hash TEXT CONSTRAINT ck_sign_ins_password_hash_length CHECK (char_length("password_hash") BETWEEN 0 AND 500),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_sign_ins PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT fk_sign_ins_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
    CONSTRAINT uq_sign_ins_email_normalised UNIQUE (email_normalised)
);

CREATE TABLE team_members (
    tenant_id UUID NOT NULL,
    team_id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_team_members PRIMARY KEY (tenant_id, team_id, user_id),
    CONSTRAINT fk_team_members_tenant_id_team_id FOREIGN KEY(tenant_id, team_id) REFERENCES teams (tenant_id, id),
    CONSTRAINT fk_team_members_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_team_members_tenant_id_user_id_team_id ON team_members (tenant_id, user_id, team_id);

CREATE TABLE activity_entries (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_activity_entries_kind_known CHECK ("kind" IN ('PERSON_CREATED', 'LEAD_CREATED', 'LEAD_ADVANCED', 'INTERACTION_LOGGED', 'TASK_COMPLETED', 'PERSON_MERGED')),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor_noun TEXT CONSTRAINT ck_activity_entries_actor_noun_name CHECK (actor_noun ~ '^[a-z_]{1,40}$'),
    actor_id UUID,
    subject_noun TEXT CONSTRAINT ck_activity_entries_subject_noun_name CHECK (subject_noun ~ '^[a-z_]{1,40}$'),
    subject_id UUID,
    person_id UUID,
    summary TEXT NOT NULL CONSTRAINT ck_activity_entries_summary_length CHECK (char_length("summary") BETWEEN 1 AND 500),
    sequence BIGINT NOT NULL,
    CONSTRAINT pk_activity_entries PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_activity_entries_actor_whole CHECK ((actor_noun IS NULL) = (actor_id IS NULL)),
    CONSTRAINT ck_activity_entries_subject_whole CHECK ((subject_noun IS NULL) = (subject_id IS NULL)),
    CONSTRAINT fk_activity_entries_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT fk_activity_entries_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id)
);

CREATE INDEX ix_activity_entries_tenant_id_at_id ON activity_entries (tenant_id, at, id);

CREATE INDEX ix_activity_entries_tenant_id_person_id_at_id ON activity_entries (tenant_id, person_id, at, id);

CREATE INDEX ix_activity_entries_tenant_id_sequence_id ON activity_entries (tenant_id, sequence, id);

CREATE TABLE api_key_operations (
    tenant_id UUID NOT NULL,
    api_key_id UUID NOT NULL,
    persisted_operation_id UUID NOT NULL,
    CONSTRAINT pk_api_key_operations PRIMARY KEY (tenant_id, api_key_id, persisted_operation_id),
    CONSTRAINT fk_api_key_operations_tenant_id_api_key_id FOREIGN KEY(tenant_id, api_key_id) REFERENCES api_keys (tenant_id, id),
    CONSTRAINT fk_api_key_operations_tenant_id_persisted_operation_id FOREIGN KEY(tenant_id, persisted_operation_id) REFERENCES persisted_operations (tenant_id, id)
);

CREATE INDEX ix_api_key_operations_tenant_id_persisted_operation_id ON api_key_operations (tenant_id, persisted_operation_id);

CREATE TABLE consents (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    subject_kind TEXT NOT NULL CONSTRAINT ck_consents_subject_kind_known CHECK ("subject_kind" IN ('PERSON', 'VISITOR', 'AGENT')),
    person_id UUID,
    purpose TEXT NOT NULL CONSTRAINT ck_consents_purpose_known CHECK ("purpose" IN ('SHOWROOM_ENGAGEMENT', 'MARKETING', 'RECORDING')),
    modality TEXT NOT NULL CONSTRAINT ck_consents_modality_known CHECK ("modality" IN ('FACE', 'VOICE', 'CCTV')),
    notice_version TEXT NOT NULL CONSTRAINT ck_consents_notice_version_length CHECK (char_length("notice_version") BETWEEN 1 AND 50),
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    recorded_by_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_consents PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_consents_person_if_person CHECK (subject_kind <> 'PERSON' OR person_id IS NOT NULL),
    CONSTRAINT ck_consents_expires_after_grant CHECK (expires_at > granted_at),
    CONSTRAINT ck_consents_withdrawn_after_grant CHECK (withdrawn_at >= granted_at),
    CONSTRAINT fk_consents_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT fk_consents_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_consents_tenant_id_recorded_by_id FOREIGN KEY(tenant_id, recorded_by_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_consents_tenant_id_created_at_id ON consents (tenant_id, created_at, id);

CREATE INDEX ix_consents_tenant_id_person_id_created_at_id ON consents (tenant_id, person_id, created_at, id);

CREATE TABLE leads (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    assignee_id UUID,
    stage TEXT NOT NULL CONSTRAINT ck_leads_stage_known CHECK ("stage" IN ('NEW', 'CONTACTED', 'QUALIFIED', 'VISIT', 'NEGOTIATION', 'WON', 'LOST')),
    stage_position SMALLINT GENERATED ALWAYS AS (CASE stage WHEN 'NEW' THEN 0 WHEN 'CONTACTED' THEN 1 WHEN 'QUALIFIED' THEN 2 WHEN 'VISIT' THEN 3 WHEN 'NEGOTIATION' THEN 4 WHEN 'WON' THEN 5 WHEN 'LOST' THEN 6 END) STORED NOT NULL,
    source TEXT NOT NULL CONSTRAINT ck_leads_source_known CHECK ("source" IN ('WEBSITE', 'REFERRAL', 'WALK_IN', 'CAMPAIGN', 'PORTAL', 'IMPORT', 'OTHER')),
    qualification TEXT CONSTRAINT ck_leads_qualification_known CHECK ("qualification" IN ('UNQUALIFIED', 'COLD', 'WARM', 'HOT', 'WHALE')),
    tags TEXT[] DEFAULT '{}'::text[] NOT NULL CONSTRAINT ck_leads_tags_few CHECK (cardinality(tags) <= 50 AND array_position(tags, NULL) IS NULL),
    budget_amount NUMERIC(18, 2) CONSTRAINT ck_leads_budget_amount_sane CHECK (budget_amount >= 0 AND budget_amount <> 'NaN'),
    budget_currency TEXT CONSTRAINT ck_leads_budget_currency_code CHECK (budget_currency ~ '^[A-Z]{3}$'),
    lost_reason TEXT CONSTRAINT ck_leads_lost_reason_known CHECK ("lost_reason" IN ('PRICE', 'COMPETITOR', 'TIMING', 'UNREACHABLE', 'OTHER')),
    stage_changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_leads PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_leads_budget_whole CHECK ((budget_amount IS NULL) = (budget_currency IS NULL)),
    CONSTRAINT ck_leads_lost_reason_if_lost CHECK ((stage = 'LOST') = (lost_reason IS NOT NULL)),
    CONSTRAINT fk_leads_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_leads_tenant_id_assignee_id FOREIGN KEY(tenant_id, assignee_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_leads_tenant_id_assignee_id_created_at_id ON leads (tenant_id, assignee_id, created_at, id);

CREATE INDEX ix_leads_tenant_id_budget_id ON leads (tenant_id, COALESCE(budget_amount, -1), id);

CREATE INDEX ix_leads_tenant_id_created_at_id ON leads (tenant_id, created_at, id);

CREATE INDEX ix_leads_tenant_id_person_id_assignee_id ON leads (tenant_id, person_id, assignee_id);

CREATE INDEX ix_leads_tenant_id_person_id_created_at_id ON leads (tenant_id, person_id, created_at, id);

CREATE INDEX ix_leads_tenant_id_stage_created_at_id ON leads (tenant_id, stage, created_at, id);

CREATE INDEX ix_leads_tenant_id_stage_position_id ON leads (tenant_id, stage_position, id);

CREATE INDEX ix_leads_tenant_id_updated_at_id ON leads (tenant_id, updated_at, id);

CREATE TABLE person_accounts (
    tenant_id UUID NOT NULL,
    person_id UUID NOT NULL,
    account_id UUID NOT NULL,
    title TEXT CONSTRAINT ck_person_accounts_title_length CHECK (char_length("title") BETWEEN 0 AND 100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_person_accounts PRIMARY KEY (tenant_id, person_id, account_id),
    CONSTRAINT fk_person_accounts_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_person_accounts_tenant_id_account_id FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id)
);

CREATE INDEX ix_person_accounts_tenant_id_account_id_person_id ON person_accounts (tenant_id, account_id, person_id);

CREATE TABLE person_duplicates (
    tenant_id UUID NOT NULL,
    person_id UUID NOT NULL,
    other_id UUID NOT NULL,
    score DOUBLE PRECISION NOT NULL CONSTRAINT ck_person_duplicates_score_finite CHECK (0 <= "score" AND "score" <= 1),
    name_score DOUBLE PRECISION CONSTRAINT ck_person_duplicates_name_score_finite CHECK (0 <= "name_score" AND "name_score" <= 1),
    evidence TEXT[] NOT NULL CONSTRAINT ck_person_duplicates_evidence_known CHECK (evidence <@ ARRAY['PHONE', 'EMAIL', 'NAME'] AND cardinality(evidence) > 0),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_person_duplicates PRIMARY KEY (tenant_id, person_id, other_id),
    CONSTRAINT ck_person_duplicates_other_is_another CHECK (person_id <> other_id),
    CONSTRAINT ck_person_duplicates_name_score_if_name CHECK ((name_score IS NOT NULL) = ('NAME' = ANY (evidence))),
    CONSTRAINT fk_person_duplicates_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_person_duplicates_tenant_id_other_id FOREIGN KEY(tenant_id, other_id) REFERENCES people (tenant_id, id)
);

CREATE INDEX ix_person_duplicates_tenant_id_other_id ON person_duplicates (tenant_id, other_id);

CREATE TABLE property_media (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    property_id UUID NOT NULL,
    category TEXT NOT NULL CONSTRAINT ck_property_media_category_known CHECK ("category" IN ('PHOTO', 'FLOOR_PLAN', 'VIDEO', 'BRANDED_VIRTUAL_TOUR', 'UNBRANDED_VIRTUAL_TOUR', 'DOCUMENT')),
    object_key TEXT NOT NULL CONSTRAINT ck_property_media_object_key_length CHECK (char_length("object_key") BETWEEN 1 AND 500),
    content_type TEXT NOT NULL CONSTRAINT ck_property_media_content_type_length CHECK (char_length("content_type") BETWEEN 1 AND 100),
    bytes INTEGER NOT NULL CONSTRAINT ck_property_media_bytes_least CHECK ("bytes" >= 1),
    width INTEGER CONSTRAINT ck_property_media_width_least CHECK ("width" >= 1),
    height INTEGER CONSTRAINT ck_property_media_height_least CHECK ("height" >= 1),
    "order" INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_property_media_order_least CHECK ("order" >= 0),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_property_media PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_property_media_object_key_stands_in_addresses CHECK (object_key ~ '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$'),
    CONSTRAINT fk_property_media_tenant_id_property_id FOREIGN KEY(tenant_id, property_id) REFERENCES properties (tenant_id, id)
);

CREATE INDEX ix_property_media_tenant_id_property_id_created_at_id ON property_media (tenant_id, property_id, created_at, id);

CREATE INDEX ix_property_media_tenant_id_property_id_order_id ON property_media (tenant_id, property_id, "order", id);

CREATE TABLE qd_scores (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    session_id UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_qd_scores_kind_known CHECK ("kind" IN ('LIVE', 'SESSION', 'PROFILE')),
    source TEXT NOT NULL CONSTRAINT ck_qd_scores_source_known CHECK ("source" IN ('RULES', 'MODEL', 'IMPORTED')),
    score DOUBLE PRECISION NOT NULL CONSTRAINT ck_qd_scores_score_finite CHECK (1 <= "score" AND "score" <= 100),
    engagement DOUBLE PRECISION CONSTRAINT ck_qd_scores_engagement_finite CHECK (0 <= "engagement" AND "engagement" <= 1),
    valence DOUBLE PRECISION CONSTRAINT ck_qd_scores_valence_finite CHECK (-1 <= "valence" AND "valence" <= 1),
    attention DOUBLE PRECISION CONSTRAINT ck_qd_scores_attention_finite CHECK (0 <= "attention" AND "attention" <= 1),
    confidence DOUBLE PRECISION CONSTRAINT ck_qd_scores_confidence_finite CHECK (0 <= "confidence" AND "confidence" <= 1),
    CONSTRAINT pk_qd_scores PRIMARY KEY (tenant_id, person_id, at, id),
    CONSTRAINT fk_qd_scores_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id)
)
 PARTITION BY RANGE (at);

CREATE TABLE refresh_tokens (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_refresh_tokens_tenant_id_session_id FOREIGN KEY(tenant_id, session_id) REFERENCES sessions (tenant_id, id),
    CONSTRAINT uq_refresh_tokens_tenant_id_token_hash UNIQUE (tenant_id, token_hash)
);

CREATE INDEX ix_refresh_tokens_tenant_id_session_id_created_at ON refresh_tokens (tenant_id, session_id, created_at);

CREATE INDEX ix_refresh_tokens_token_hash ON refresh_tokens (token_hash);

CREATE TABLE relationships (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    other_id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_relationships_kind_known CHECK ("kind" IN ('SPOUSE', 'PARENT', 'CHILD', 'SIBLING', 'COLLEAGUE', 'ADVISER', 'REFERRER', 'OTHER')),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_relationships PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_relationships_other_is_another CHECK (person_id <> other_id),
    CONSTRAINT fk_relationships_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_relationships_tenant_id_other_id FOREIGN KEY(tenant_id, other_id) REFERENCES people (tenant_id, id),
    CONSTRAINT uq_relationships_tenant_id_person_id_other_id_kind UNIQUE (tenant_id, person_id, other_id, kind)
);

CREATE INDEX ix_relationships_tenant_id_other_id ON relationships (tenant_id, other_id);

CREATE INDEX ix_relationships_tenant_id_person_id_created_at_id ON relationships (tenant_id, person_id, created_at, id);

CREATE TABLE threads (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    channel TEXT NOT NULL CONSTRAINT ck_threads_channel_known CHECK ("channel" IN ('WHATSAPP', 'SMS')),
    address TEXT NOT NULL CONSTRAINT ck_threads_address_length CHECK (char_length("address") BETWEEN 1 AND 100),
    person_id UUID,
    assignee_id UUID,
    last_message_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_threads PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_threads_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT fk_threads_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_threads_tenant_id_assignee_id FOREIGN KEY(tenant_id, assignee_id) REFERENCES users (tenant_id, id),
    CONSTRAINT uq_threads_tenant_id_channel_address UNIQUE (tenant_id, channel, address)
);

CREATE INDEX ix_threads_tenant_id_assignee_id_last_message_at_id ON threads (tenant_id, assignee_id, last_message_at, id);

CREATE INDEX ix_threads_tenant_id_created_at_id ON threads (tenant_id, created_at, id);

CREATE INDEX ix_threads_tenant_id_last_message_at_id ON threads (tenant_id, last_message_at, id);

CREATE INDEX ix_threads_tenant_id_person_id_created_at_id ON threads (tenant_id, person_id, created_at, id);

CREATE INDEX ix_threads_tenant_id_person_id_last_message_at_id ON threads (tenant_id, person_id, last_message_at, id);

CREATE TABLE lead_shares (
    tenant_id UUID NOT NULL,
    lead_id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_lead_shares PRIMARY KEY (tenant_id, lead_id, user_id),
    CONSTRAINT fk_lead_shares_tenant_id_lead_id FOREIGN KEY(tenant_id, lead_id) REFERENCES leads (tenant_id, id),
    CONSTRAINT fk_lead_shares_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_lead_shares_tenant_id_user_id_lead_id ON lead_shares (tenant_id, user_id, lead_id);

CREATE TABLE opportunities (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    lead_id UUID NOT NULL,
    person_id UUID NOT NULL,
    property_id UUID,
    stage TEXT NOT NULL CONSTRAINT ck_opportunities_stage_known CHECK ("stage" IN ('OPEN', 'OFFER', 'BOOKED', 'CONTRACT', 'WON', 'LOST')),
    amount_amount NUMERIC(18, 2) CONSTRAINT ck_opportunities_amount_amount_sane CHECK (amount_amount >= 0 AND amount_amount <> 'NaN'),
    amount_currency TEXT CONSTRAINT ck_opportunities_amount_currency_code CHECK (amount_currency ~ '^[A-Z]{3}$'),
    probability DOUBLE PRECISION CONSTRAINT ck_opportunities_probability_finite CHECK (0 <= "probability" AND "probability" <= 1),
    expected_close_on DATE,
    approved_by_id UUID,
    approved_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_opportunities PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_opportunities_amount_whole CHECK ((amount_amount IS NULL) = (amount_currency IS NULL)),
    CONSTRAINT fk_opportunities_tenant_id_lead_id FOREIGN KEY(tenant_id, lead_id) REFERENCES leads (tenant_id, id),
    CONSTRAINT fk_opportunities_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_opportunities_tenant_id_property_id FOREIGN KEY(tenant_id, property_id) REFERENCES properties (tenant_id, id),
    CONSTRAINT fk_opportunities_tenant_id_approved_by_id FOREIGN KEY(tenant_id, approved_by_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_opportunities_tenant_id_created_at_id ON opportunities (tenant_id, created_at, id);

CREATE INDEX ix_opportunities_tenant_id_lead_id_created_at_id ON opportunities (tenant_id, lead_id, created_at, id);

CREATE INDEX ix_opportunities_tenant_id_person_id_created_at_id ON opportunities (tenant_id, person_id, created_at, id);

CREATE INDEX ix_opportunities_tenant_id_property_id_created_at_id ON opportunities (tenant_id, property_id, created_at, id);

CREATE INDEX ix_opportunities_tenant_id_stage_created_at_id ON opportunities (tenant_id, stage, created_at, id);

CREATE TABLE property_interests (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    lead_id UUID,
    property_id UUID,
    project_id UUID,
    level TEXT NOT NULL CONSTRAINT ck_property_interests_level_known CHECK ("level" IN ('LOW', 'MEDIUM', 'HIGH')),
    configuration TEXT CONSTRAINT ck_property_interests_configuration_length CHECK (char_length("configuration") BETWEEN 0 AND 200),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_property_interests PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_property_interests_interest_in_something CHECK (property_id IS NOT NULL OR project_id IS NOT NULL),
    CONSTRAINT fk_property_interests_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_property_interests_tenant_id_lead_id FOREIGN KEY(tenant_id, lead_id) REFERENCES leads (tenant_id, id),
    CONSTRAINT fk_property_interests_tenant_id_property_id FOREIGN KEY(tenant_id, property_id) REFERENCES properties (tenant_id, id),
    CONSTRAINT fk_property_interests_tenant_id_project_id FOREIGN KEY(tenant_id, project_id) REFERENCES projects (tenant_id, id),
    CONSTRAINT uq_property_interests_once UNIQUE NULLS NOT DISTINCT (tenant_id, person_id, lead_id, property_id, project_id)
);

CREATE INDEX ix_property_interests_tenant_id_created_at_id ON property_interests (tenant_id, created_at, id);

CREATE INDEX ix_property_interests_tenant_id_lead_id_created_at_id ON property_interests (tenant_id, lead_id, created_at, id);

CREATE INDEX ix_property_interests_tenant_id_person_id_created_at_id ON property_interests (tenant_id, person_id, created_at, id);

CREATE INDEX ix_property_interests_tenant_id_project_id_created_at_id ON property_interests (tenant_id, project_id, created_at, id);

CREATE INDEX ix_property_interests_tenant_id_property_id_created_at_id ON property_interests (tenant_id, property_id, created_at, id);

CREATE TABLE stage_changes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    lead_id UUID NOT NULL,
    from_stage TEXT CONSTRAINT ck_stage_changes_from_stage_known CHECK ("from_stage" IN ('NEW', 'CONTACTED', 'QUALIFIED', 'VISIT', 'NEGOTIATION', 'WON', 'LOST')),
    to_stage TEXT NOT NULL CONSTRAINT ck_stage_changes_to_stage_known CHECK ("to_stage" IN ('NEW', 'CONTACTED', 'QUALIFIED', 'VISIT', 'NEGOTIATION', 'WON', 'LOST')),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    by_noun TEXT CONSTRAINT ck_stage_changes_by_noun_name CHECK (by_noun ~ '^[a-z_]{1,40}$'),
    by_id UUID,
    note TEXT CONSTRAINT ck_stage_changes_note_length CHECK (char_length("note") BETWEEN 0 AND 2000),
    lost_reason TEXT CONSTRAINT ck_stage_changes_lost_reason_known CHECK ("lost_reason" IN ('PRICE', 'COMPETITOR', 'TIMING', 'UNREACHABLE', 'OTHER')),
    CONSTRAINT pk_stage_changes PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_stage_changes_by_whole CHECK ((by_noun IS NULL) = (by_id IS NULL)),
    CONSTRAINT fk_stage_changes_tenant_id_lead_id FOREIGN KEY(tenant_id, lead_id) REFERENCES leads (tenant_id, id)
);

CREATE INDEX ix_stage_changes_tenant_id_lead_id_at_id ON stage_changes (tenant_id, lead_id, at, id);

CREATE TABLE tasks (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    title TEXT NOT NULL CONSTRAINT ck_tasks_title_length CHECK (char_length("title") BETWEEN 1 AND 200),
    due_at TIMESTAMP WITH TIME ZONE,
    priority TEXT NOT NULL CONSTRAINT ck_tasks_priority_known CHECK ("priority" IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')),
    status TEXT NOT NULL CONSTRAINT ck_tasks_status_known CHECK ("status" IN ('OPEN', 'DONE', 'CANCELLED')),
    assignee_id UUID,
    person_id UUID,
    lead_id UUID,
    created_by_noun TEXT CONSTRAINT ck_tasks_created_by_noun_name CHECK (created_by_noun ~ '^[a-z_]{1,40}$'),
    created_by_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tasks PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_tasks_created_by_whole CHECK ((created_by_noun IS NULL) = (created_by_id IS NULL)),
    CONSTRAINT ck_tasks_completed_at_if_done CHECK ((status = 'DONE') = (completed_at IS NOT NULL)),
    CONSTRAINT fk_tasks_tenant_id_assignee_id FOREIGN KEY(tenant_id, assignee_id) REFERENCES users (tenant_id, id),
    CONSTRAINT fk_tasks_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_tasks_tenant_id_lead_id FOREIGN KEY(tenant_id, lead_id) REFERENCES leads (tenant_id, id)
);

CREATE INDEX ix_tasks_tenant_id_assignee_id_created_at_id ON tasks (tenant_id, assignee_id, created_at, id);

CREATE INDEX ix_tasks_tenant_id_assignee_id_status_due_id ON tasks (tenant_id, assignee_id, status, COALESCE(due_at, 'infinity'::timestamp with time zone), id);

CREATE INDEX ix_tasks_tenant_id_created_at_id ON tasks (tenant_id, created_at, id);

CREATE INDEX ix_tasks_tenant_id_due_id ON tasks (tenant_id, COALESCE(due_at, 'infinity'::timestamp with time zone), id);

CREATE INDEX ix_tasks_tenant_id_lead_id_created_at_id ON tasks (tenant_id, lead_id, created_at, id);

CREATE INDEX ix_tasks_tenant_id_lead_id_status_due_id ON tasks (tenant_id, lead_id, status, COALESCE(due_at, 'infinity'::timestamp with time zone), id);

CREATE INDEX ix_tasks_tenant_id_person_id_created_at_id ON tasks (tenant_id, person_id, created_at, id);

CREATE INDEX ix_tasks_tenant_id_person_id_status_due_id ON tasks (tenant_id, person_id, status, COALESCE(due_at, 'infinity'::timestamp with time zone), id);

CREATE TABLE thread_messages (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    thread_id UUID NOT NULL,
    direction TEXT NOT NULL CONSTRAINT ck_thread_messages_direction_known CHECK ("direction" IN ('INBOUND', 'OUTBOUND')),
    kind TEXT NOT NULL CONSTRAINT ck_thread_messages_kind_known CHECK ("kind" IN ('TEXT', 'IMAGE', 'VOICE', 'DOCUMENT', 'SYSTEM')),
    text TEXT CONSTRAINT ck_thread_messages_text_length CHECK (char_length("text") BETWEEN 0 AND 10000),
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    delivery_state TEXT CONSTRAINT ck_thread_messages_delivery_state_known CHECK ("delivery_state" IN ('QUEUED', 'SENT', 'DELIVERED', 'READ', 'FAILED')),
    author_noun TEXT CONSTRAINT ck_thread_messages_author_noun_name CHECK (author_noun ~ '^[a-z_]{1,40}$'),
    author_id UUID,
    provider_message_id TEXT CONSTRAINT ck_thread_messages_provider_message_id_length CHECK (char_length("provider_message_id") BETWEEN 0 AND 255),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_thread_messages PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_thread_messages_author_whole CHECK ((author_noun IS NULL) = (author_id IS NULL)),
    CONSTRAINT ck_thread_messages_text_if_text CHECK (kind <> 'TEXT' OR text IS NOT NULL),
    CONSTRAINT ck_thread_messages_delivery_only_of_outbound CHECK (direction = 'OUTBOUND' OR delivery_state IS NULL),
    CONSTRAINT fk_thread_messages_tenant_id_thread_id FOREIGN KEY(tenant_id, thread_id) REFERENCES threads (tenant_id, id),
    CONSTRAINT uq_thread_messages_tenant_id_thread_id_provider_message_id UNIQUE (tenant_id, thread_id, provider_message_id)
);

CREATE INDEX ix_thread_messages_tenant_id_thread_id_sent_at_id ON thread_messages (tenant_id, thread_id, sent_at, id);

CREATE TABLE interactions (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_interactions_kind_known CHECK ("kind" IN ('MESSAGE', 'CALL', 'EMAIL', 'VISIT', 'NOTE')),
    person_id UUID,
    direction TEXT CONSTRAINT ck_interactions_direction_known CHECK ("direction" IN ('INBOUND', 'OUTBOUND')),
    summary TEXT CONSTRAINT ck_interactions_summary_length CHECK (char_length("summary") BETWEEN 0 AND 2000),
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    author_noun TEXT CONSTRAINT ck_interactions_author_noun_name CHECK (author_noun ~ '^[a-z_]{1,40}$'),
    author_id UUID,
    thread_message_id UUID,
    duration_seconds INTEGER CONSTRAINT ck_interactions_duration_seconds_least CHECK ("duration_seconds" >= 0),
    email_subject TEXT CONSTRAINT ck_interactions_email_subject_length CHECK (char_length("email_subject") BETWEEN 0 AND 500),
    email_body TEXT CONSTRAINT ck_interactions_email_body_length CHECK (char_length("email_body") BETWEEN 0 AND 100000),
    property_id UUID,
    text TEXT CONSTRAINT ck_interactions_text_length CHECK (char_length("text") BETWEEN 0 AND 10000),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_interactions PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_interactions_author_whole CHECK ((author_noun IS NULL) = (author_id IS NULL)),
    CONSTRAINT ck_interactions_text_if_note CHECK ((kind = 'NOTE') = (text IS NOT NULL)),
    CONSTRAINT ck_interactions_thread_message_only_of_message CHECK (kind = 'MESSAGE' OR thread_message_id IS NULL),
    CONSTRAINT ck_interactions_duration_only_of_call CHECK (kind = 'CALL' OR duration_seconds IS NULL),
    CONSTRAINT ck_interactions_email_only_of_email CHECK (kind = 'EMAIL' OR (email_subject IS NULL AND email_body IS NULL)),
    CONSTRAINT ck_interactions_property_only_of_visit CHECK (kind = 'VISIT' OR property_id IS NULL),
    CONSTRAINT fk_interactions_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_interactions_tenant_id_thread_message_id FOREIGN KEY(tenant_id, thread_message_id) REFERENCES thread_messages (tenant_id, id),
    CONSTRAINT fk_interactions_tenant_id_property_id FOREIGN KEY(tenant_id, property_id) REFERENCES properties (tenant_id, id),
    CONSTRAINT uq_interactions_tenant_id_thread_message_id UNIQUE (tenant_id, thread_message_id)
);

CREATE INDEX ix_interactions_tenant_id_occurred_at_id ON interactions (tenant_id, occurred_at, id);

CREATE INDEX ix_interactions_tenant_id_person_id_created_at_id ON interactions (tenant_id, person_id, created_at, id);

CREATE INDEX ix_interactions_tenant_id_person_id_kind_occurred_at_id ON interactions (tenant_id, person_id, kind, occurred_at, id);

CREATE INDEX ix_interactions_tenant_id_person_id_occurred_at_id ON interactions (tenant_id, person_id, occurred_at, id);

CREATE INDEX ix_interactions_tenant_id_property_id ON interactions (tenant_id, property_id);

CREATE TABLE thread_reads (
    tenant_id UUID NOT NULL,
    thread_id UUID NOT NULL,
    user_id UUID NOT NULL,
    last_read_message_id UUID,
    unread_count INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_thread_reads_unread_count_least CHECK ("unread_count" >= 0),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_thread_reads PRIMARY KEY (tenant_id, thread_id, user_id),
    CONSTRAINT fk_thread_reads_tenant_id_thread_id FOREIGN KEY(tenant_id, thread_id) REFERENCES threads (tenant_id, id),
    CONSTRAINT fk_thread_reads_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
    CONSTRAINT fk_thread_reads_tenant_id_last_read_message_id FOREIGN KEY(tenant_id, last_read_message_id) REFERENCES thread_messages (tenant_id, id)
);

CREATE INDEX ix_thread_reads_unread ON thread_reads (tenant_id, user_id, thread_id) WHERE unread_count > 0;

CREATE TABLE facts (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    interaction_id UUID,
    kind TEXT NOT NULL CONSTRAINT ck_facts_kind_known CHECK ("kind" IN ('BUDGET', 'OBJECTION', 'TIMELINE', 'PREFERENCE')),
    text TEXT NOT NULL CONSTRAINT ck_facts_text_length CHECK (char_length("text") BETWEEN 1 AND 1000),
    quote TEXT CONSTRAINT ck_facts_quote_length CHECK (char_length("quote") BETWEEN 0 AND 2000),
    confidence DOUBLE PRECISION NOT NULL CONSTRAINT ck_facts_confidence_finite CHECK (0 <= "confidence" AND "confidence" <= 1),
    source TEXT NOT NULL CONSTRAINT ck_facts_source_known CHECK ("source" IN ('MODEL', 'PERSON', 'IMPORTED')),
    amount_amount NUMERIC(18, 2) CONSTRAINT ck_facts_amount_amount_sane CHECK (amount_amount >= 0 AND amount_amount <> 'NaN'),
    amount_currency TEXT CONSTRAINT ck_facts_amount_currency_code CHECK (amount_currency ~ '^[A-Z]{3}$'),
    extracted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    dismissed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_facts PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_facts_amount_whole CHECK ((amount_amount IS NULL) = (amount_currency IS NULL)),
    CONSTRAINT fk_facts_tenant_id_person_id FOREIGN KEY(tenant_id, person_id) REFERENCES people (tenant_id, id),
    CONSTRAINT fk_facts_tenant_id_interaction_id FOREIGN KEY(tenant_id, interaction_id) REFERENCES interactions (tenant_id, id)
);

CREATE INDEX ix_facts_tenant_id_interaction_id ON facts (tenant_id, interaction_id);

CREATE INDEX ix_facts_tenant_id_person_id_created_at_id ON facts (tenant_id, person_id, created_at, id);

CREATE TABLE objections (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    interaction_id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_objections_kind_known CHECK ("kind" IN ('PRICE', 'LOCATION', 'TIMING', 'TRUST', 'LAYOUT', 'FINANCE', 'OTHER')),
    text TEXT NOT NULL CONSTRAINT ck_objections_text_length CHECK (char_length("text") BETWEEN 1 AND 2000),
    resolved BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_objections PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_objections_tenant_id_interaction_id FOREIGN KEY(tenant_id, interaction_id) REFERENCES interactions (tenant_id, id)
);

CREATE INDEX ix_objections_tenant_id_interaction_id_created_at_id ON objections (tenant_id, interaction_id, created_at, id);

CREATE TABLE transcript_segments (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    interaction_id UUID NOT NULL,
    speaker TEXT NOT NULL CONSTRAINT ck_transcript_segments_speaker_length CHECK (char_length("speaker") BETWEEN 1 AND 100),
    text TEXT NOT NULL CONSTRAINT ck_transcript_segments_text_length CHECK (char_length("text") BETWEEN 1 AND 10000),
    start_ms INTEGER NOT NULL CONSTRAINT ck_transcript_segments_start_ms_least CHECK ("start_ms" >= 0),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_transcript_segments PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_transcript_segments_tenant_id_interaction_id FOREIGN KEY(tenant_id, interaction_id) REFERENCES interactions (tenant_id, id)
);

CREATE INDEX ix_transcript_segments_tenant_id_interaction_id_created_at_id ON transcript_segments (tenant_id, interaction_id, created_at, id);

CREATE INDEX ix_transcript_segments_tenant_id_interaction_id_start_ms_id ON transcript_segments (tenant_id, interaction_id, start_ms, id);
