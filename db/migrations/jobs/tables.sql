-- Jobs, and the slots that running ones lease. Each statement ends in a semicolon and a blank line.

CREATE TABLE jobs (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_jobs_kind_known CHECK ("kind" IN ('INFERENCE', 'RENDER')),
    status TEXT NOT NULL CONSTRAINT ck_jobs_status_known CHECK ("status" IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED')),
    task TEXT CONSTRAINT ck_jobs_task_known CHECK ("task" IN ('CHAT', 'QD_CALCULATOR', 'LEAD_TAGGER', 'CCTV_PROFILER', 'RISK_ANALYZER', 'PROMPT_EXPANDER')),
    priority INTEGER NOT NULL CONSTRAINT ck_jobs_priority_known CHECK (priority BETWEEN -100 AND 100),
    attempt INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_jobs_attempt_least CHECK ("attempt" >= 0),
    max_attempts INTEGER NOT NULL CONSTRAINT ck_jobs_max_attempts_least CHECK ("max_attempts" >= 1),
    turn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE,
    deadline_at TIMESTAMP WITH TIME ZONE,
    slot_kind TEXT CONSTRAINT ck_jobs_slot_kind_known CHECK ("slot_kind" IN ('LLM', 'COMFYUI')),
    lease_token UUID,
    leased_until TIMESTAMP WITH TIME ZONE,
    worker_name TEXT CONSTRAINT ck_jobs_worker_name_length CHECK (char_length("worker_name") BETWEEN 1 AND 200),
    cancel_requested_at TIMESTAMP WITH TIME ZONE,
    requested_by_noun TEXT NOT NULL CONSTRAINT ck_jobs_requested_by_noun_name CHECK (requested_by_noun ~ '^[a-z_]{1,40}$'),
    requested_by_id UUID NOT NULL,
    subject_noun TEXT CONSTRAINT ck_jobs_subject_noun_name CHECK (subject_noun ~ '^[a-z_]{1,40}$'),
    subject_id UUID,
    key TEXT CONSTRAINT ck_jobs_key_length CHECK (char_length("key") BETWEEN 1 AND 200),
    payload JSON NOT NULL,
    payload_hash TEXT NOT NULL CONSTRAINT ck_jobs_payload_hash_is_sha256 CHECK (payload_hash ~ '^[0-9a-f]{64}$'),
    provider_id UUID,
    model TEXT CONSTRAINT ck_jobs_model_length CHECK (char_length("model") BETWEEN 1 AND 200),
    submitted_count INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_jobs_submitted_count_least CHECK ("submitted_count" >= 0),
    completed_count INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_jobs_completed_count_least CHECK ("completed_count" >= 0),
    failed_count INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_jobs_failed_count_least CHECK ("failed_count" >= 0),
    workflow TEXT CONSTRAINT ck_jobs_workflow_known CHECK ("workflow" IN ('STAGING', 'IMAGE_TO_VIDEO', 'POSTER')),
    room_type TEXT CONSTRAINT ck_jobs_room_type_known CHECK ("room_type" IN ('LIVING_ROOM', 'BEDROOM', 'KITCHEN', 'BATHROOM', 'DINING_ROOM', 'OFFICE', 'BALCONY')),
    keywords TEXT[] DEFAULT '{}'::text[] NOT NULL,
    prompt TEXT CONSTRAINT ck_jobs_prompt_length CHECK (char_length("prompt") BETWEEN 0 AND 10000),
    photo_id UUID,
    render_worker_id UUID,
    progress_value INTEGER CONSTRAINT ck_jobs_progress_value_least CHECK ("progress_value" >= 0),
    progress_max INTEGER CONSTRAINT ck_jobs_progress_max_least CHECK ("progress_max" >= 1),
    progress_step TEXT CONSTRAINT ck_jobs_progress_step_length CHECK (char_length("progress_step") BETWEEN 0 AND 200),
    error_code TEXT CONSTRAINT ck_jobs_error_code_length CHECK (char_length("error_code") BETWEEN 1 AND 60),
    error_message TEXT CONSTRAINT ck_jobs_error_message_length CHECK (char_length("error_message") BETWEEN 1 AND 2000),
    error_retryable BOOLEAN,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_jobs PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_jobs_requested_by_whole CHECK ((requested_by_noun IS NULL) = (requested_by_id IS NULL)),
    CONSTRAINT ck_jobs_subject_whole CHECK ((subject_noun IS NULL) = (subject_id IS NULL)),
    CONSTRAINT ck_jobs_task_if_inference CHECK ((kind = 'INFERENCE') = (task IS NOT NULL)),
    CONSTRAINT ck_jobs_workflow_if_render CHECK ((kind = 'RENDER') = (workflow IS NOT NULL)),
    CONSTRAINT ck_jobs_finished_at_if_finished CHECK ((status IN ('QUEUED', 'RUNNING')) = (finished_at IS NULL)),
    CONSTRAINT ck_jobs_leased_while_running CHECK ((status = 'RUNNING') = (lease_token IS NOT NULL)),
    CONSTRAINT ck_jobs_lease_whole CHECK ((lease_token IS NULL) = (leased_until IS NULL)),
    CONSTRAINT ck_jobs_progress_whole CHECK ((progress_value IS NULL) = (progress_max IS NULL)),
    CONSTRAINT ck_jobs_error_whole CHECK ((error_code IS NULL) = (error_message IS NULL) AND (error_code IS NULL) = (error_retryable IS NULL)),
    CONSTRAINT fk_jobs_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_jobs_deadline_at ON jobs (deadline_at) WHERE status = 'QUEUED' AND deadline_at IS NOT NULL;

CREATE INDEX ix_jobs_leased_until ON jobs (leased_until) WHERE status = 'RUNNING';

CREATE INDEX ix_jobs_tenant_id_created_at_id ON jobs (tenant_id, created_at, id);

CREATE INDEX ix_jobs_tenant_id_requested_by_id_created_at_id ON jobs (tenant_id, requested_by_id, created_at, id);

CREATE INDEX ix_jobs_turn_at ON jobs (turn_at, id) WHERE status = 'QUEUED';

CREATE UNIQUE INDEX uq_jobs_tenant_id_key ON jobs (tenant_id, key) WHERE key IS NOT NULL;

CREATE TABLE slots (
    kind TEXT NOT NULL CONSTRAINT ck_slots_kind_known CHECK ("kind" IN ('LLM', 'COMFYUI')),
    resource TEXT NOT NULL CONSTRAINT ck_slots_resource_length CHECK (char_length("resource") BETWEEN 1 AND 200),
    number INTEGER NOT NULL CONSTRAINT ck_slots_number_least CHECK ("number" >= 1),
    open BOOLEAN DEFAULT true NOT NULL,
    job_tenant_id UUID,
    job_id UUID,
    lease_token UUID,
    leased_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_slots PRIMARY KEY (kind, resource, number),
    CONSTRAINT ck_slots_lease_whole CHECK ((job_id IS NULL) = (lease_token IS NULL) AND (job_id IS NULL) = (leased_at IS NULL) AND (job_id IS NULL) = (job_tenant_id IS NULL))
);

CREATE INDEX ix_slots_job_id ON slots (job_id) WHERE job_id IS NOT NULL;
