CREATE TABLE inference_providers (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL CONSTRAINT ck_inference_providers_name_length CHECK (char_length("name") BETWEEN 1 AND 40),
    kind TEXT NOT NULL CONSTRAINT ck_inference_providers_kind_known CHECK ("kind" IN ('NVIDIA', 'NIM', 'NEMOCLAW', 'SGLANG', 'VLLM', 'OLLAMA', 'LLAMA_CPP')),
    enabled BOOLEAN,
    priority INTEGER CONSTRAINT ck_inference_providers_priority_known CHECK (priority BETWEEN 0 AND 1000),
    model TEXT CONSTRAINT ck_inference_providers_model_length CHECK (char_length("model") BETWEEN 1 AND 200),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_inference_providers PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_inference_providers_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_inference_providers_tenant_id_name UNIQUE (tenant_id, name)
);

CREATE TABLE inference_items (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    job_id UUID NOT NULL,
    number INTEGER NOT NULL CONSTRAINT ck_inference_items_number_least CHECK ("number" >= 0),
    request_id TEXT NOT NULL CONSTRAINT ck_inference_items_request_id_length CHECK (char_length("request_id") BETWEEN 1 AND 200),
    messages JSON NOT NULL,
    status TEXT NOT NULL CONSTRAINT ck_inference_items_status_known CHECK ("status" IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED')),
    attempt INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_inference_items_attempt_least CHECK ("attempt" >= 0),
    provider_id UUID,
    model TEXT CONSTRAINT ck_inference_items_model_length CHECK (char_length("model") BETWEEN 1 AND 200),
    output_text TEXT CONSTRAINT ck_inference_items_output_text_length CHECK (char_length("output_text") BETWEEN 0 AND 1000000),
    output_json JSON,
    repaired BOOLEAN DEFAULT false NOT NULL,
    prompt_tokens INTEGER CONSTRAINT ck_inference_items_prompt_tokens_least CHECK ("prompt_tokens" >= 0),
    completion_tokens INTEGER CONSTRAINT ck_inference_items_completion_tokens_least CHECK ("completion_tokens" >= 0),
    error_code TEXT CONSTRAINT ck_inference_items_error_code_length CHECK (char_length("error_code") BETWEEN 1 AND 60),
    error_message TEXT CONSTRAINT ck_inference_items_error_message_length CHECK (char_length("error_message") BETWEEN 1 AND 2000),
    error_retryable BOOLEAN,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_inference_items PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_inference_items_status_of_an_item CHECK (status IN ('QUEUED', 'SUCCEEDED', 'FAILED')),
    CONSTRAINT ck_inference_items_finished_at_if_finished CHECK ((status = 'QUEUED') = (finished_at IS NULL)),
    CONSTRAINT ck_inference_items_output_if_succeeded CHECK ((status = 'SUCCEEDED') = (output_text IS NOT NULL)),
    CONSTRAINT ck_inference_items_error_if_failed CHECK ((status = 'FAILED') = (error_code IS NOT NULL)),
    CONSTRAINT ck_inference_items_error_whole CHECK ((error_code IS NULL) = (error_message IS NULL) AND (error_code IS NULL) = (error_retryable IS NULL)),
    CONSTRAINT ck_inference_items_usage_whole CHECK ((prompt_tokens IS NULL) = (completion_tokens IS NULL)),
    CONSTRAINT fk_inference_items_tenant_id_job_id FOREIGN KEY(tenant_id, job_id) REFERENCES jobs (tenant_id, id),
    CONSTRAINT fk_inference_items_tenant_id_provider_id FOREIGN KEY(tenant_id, provider_id) REFERENCES inference_providers (tenant_id, id),
    CONSTRAINT uq_inference_items_tenant_id_job_id_request_id UNIQUE (tenant_id, job_id, request_id)
);

CREATE INDEX ix_inference_items_tenant_id_job_id_number_id ON inference_items (tenant_id, job_id, number, id);
