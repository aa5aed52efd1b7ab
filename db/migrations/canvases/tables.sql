-- The tables of canvases. Each statement ends in a semicolon and a blank line: that is how the revision splits this file.

CREATE TABLE canvases (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    title TEXT NOT NULL CONSTRAINT ck_canvases_title_length CHECK (char_length("title") BETWEEN 1 AND 200),
    owner_id UUID NOT NULL,
    head_id UUID NOT NULL,
    forked_from_id UUID,
    archived_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_canvases PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_canvases_tenant_id_owner_id FOREIGN KEY(tenant_id, owner_id) REFERENCES users (tenant_id, id),
    CONSTRAINT fk_canvases_tenant_id_forked_from_id FOREIGN KEY(tenant_id, forked_from_id) REFERENCES canvases (tenant_id, id)
);

CREATE INDEX ix_canvases_tenant_id_created_at_id ON canvases (tenant_id, created_at, id);

CREATE INDEX ix_canvases_tenant_id_forked_from_id_id ON canvases (tenant_id, forked_from_id, id);

CREATE INDEX ix_canvases_tenant_id_owner_id_created_at_id ON canvases (tenant_id, owner_id, created_at, id);

CREATE INDEX ix_canvases_tenant_id_updated_at_id ON canvases (tenant_id, updated_at, id);

CREATE TABLE canvas_revisions (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    canvas_id UUID NOT NULL,
    number INTEGER NOT NULL CONSTRAINT ck_canvas_revisions_number_least CHECK ("number" >= 1),
    kind TEXT NOT NULL CONSTRAINT ck_canvas_revisions_kind_known CHECK ("kind" IN ('COMMIT', 'MERGE', 'ROLLBACK', 'FORK')),
    message TEXT CONSTRAINT ck_canvas_revisions_message_length CHECK (char_length("message") BETWEEN 0 AND 2000),
    author_noun TEXT CONSTRAINT ck_canvas_revisions_author_noun_name CHECK (author_noun ~ '^[a-z_]{1,40}$'),
    author_id UUID,
    tree_hash BYTEA NOT NULL CONSTRAINT ck_canvas_revisions_tree_hash_sha256 CHECK (octet_length(tree_hash) = 32),
    hash BYTEA NOT NULL CONSTRAINT ck_canvas_revisions_hash_sha256 CHECK (octet_length(hash) = 32),
    changes JSON NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_canvas_revisions PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_canvas_revisions_author_whole CHECK ((author_noun IS NULL) = (author_id IS NULL)),
    CONSTRAINT fk_canvas_revisions_tenant_id_canvas_id FOREIGN KEY(tenant_id, canvas_id) REFERENCES canvases (tenant_id, id),
    CONSTRAINT uq_canvas_revisions_tenant_id_canvas_id_number UNIQUE (tenant_id, canvas_id, number)
);

CREATE INDEX ix_canvas_revisions_tenant_id_canvas_id_number_id ON canvas_revisions (tenant_id, canvas_id, number, id);

CREATE TABLE canvas_revision_parents (
    tenant_id UUID NOT NULL,
    revision_id UUID NOT NULL,
    position INTEGER NOT NULL CONSTRAINT ck_canvas_revision_parents_position_least CHECK ("position" >= 0),
    parent_id UUID NOT NULL,
    CONSTRAINT pk_canvas_revision_parents PRIMARY KEY (tenant_id, revision_id, position),
    CONSTRAINT fk_canvas_revision_parents_tenant_id_revision_id FOREIGN KEY(tenant_id, revision_id) REFERENCES canvas_revisions (tenant_id, id),
    CONSTRAINT fk_canvas_revision_parents_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES canvas_revisions (tenant_id, id)
);

CREATE INDEX ix_canvas_revision_parents_tenant_id_parent_id ON canvas_revision_parents (tenant_id, parent_id);

CREATE TABLE canvas_data (
    tenant_id UUID NOT NULL,
    digest BYTEA NOT NULL CONSTRAINT ck_canvas_data_digest_sha256 CHECK (octet_length(digest) = 32),
    author_noun TEXT NOT NULL CONSTRAINT ck_canvas_data_author_noun_name CHECK (author_noun ~ '^[a-z_]{1,40}$'),
    author_id UUID NOT NULL,
    author_role TEXT NOT NULL CONSTRAINT ck_canvas_data_author_role_known CHECK ("author_role" IN ('ADMIN', 'SALES_DIRECTOR', 'SENIOR_BROKER', 'JUNIOR_BROKER')),
    author_members UUID[] NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    columns JSON NOT NULL,
    rows JSON,
    truncated BOOLEAN DEFAULT false NOT NULL,
    salt BYTEA,
    erased_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_canvas_data PRIMARY KEY (tenant_id, digest),
    CONSTRAINT ck_canvas_data_author_whole CHECK ((author_noun IS NULL) = (author_id IS NULL)),
    CONSTRAINT ck_canvas_data_rows_unless_erased CHECK ((rows IS NULL) = (erased_at IS NOT NULL) AND (salt IS NULL) = (erased_at IS NOT NULL)),
    CONSTRAINT fk_canvas_data_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE canvas_components (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    canvas_id UUID NOT NULL,
    key TEXT NOT NULL CONSTRAINT ck_canvas_components_key_length CHECK (char_length("key") BETWEEN 1 AND 64),
    kind TEXT NOT NULL CONSTRAINT ck_canvas_components_kind_known CHECK ("kind" IN ('TABLE', 'KPI_TILE', 'BAR', 'LINE', 'AREA', 'SCATTER', 'TIMELINE', 'ACTIVITY_STREAM', 'PIPELINE_BOARD', 'MAP', 'TEXT')),
    title TEXT CONSTRAINT ck_canvas_components_title_length CHECK (char_length("title") BETWEEN 0 AND 200),
    order_key TEXT COLLATE "C" NOT NULL CONSTRAINT ck_canvas_components_order_key_length CHECK (char_length(order_key) BETWEEN 1 AND 200),
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    visualization JSON,
    source_document_id TEXT CONSTRAINT ck_canvas_components_source_document_id_length CHECK (char_length("source_document_id") BETWEEN 0 AND 200),
    source_variables JSON,
    data_digest BYTEA CONSTRAINT ck_canvas_components_data_digest_sha256 CHECK (octet_length(data_digest) = 32),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_canvas_components PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_canvas_components_source_whole CHECK ((source_document_id IS NULL) = (source_variables IS NULL)),
    CONSTRAINT ck_canvas_components_data_of_a_source CHECK (source_document_id IS NOT NULL OR data_digest IS NULL),
    CONSTRAINT fk_canvas_components_tenant_id_canvas_id FOREIGN KEY(tenant_id, canvas_id) REFERENCES canvases (tenant_id, id),
    CONSTRAINT fk_canvas_components_tenant_id_data_digest FOREIGN KEY(tenant_id, data_digest) REFERENCES canvas_data (tenant_id, digest)
);

CREATE INDEX ix_canvas_components_tenant_id_data_digest ON canvas_components (tenant_id, data_digest);

CREATE TABLE canvas_placements (
    tenant_id UUID NOT NULL,
    canvas_id UUID NOT NULL,
    component_key TEXT NOT NULL CONSTRAINT ck_canvas_placements_component_key_length CHECK (char_length("component_key") BETWEEN 1 AND 64),
    from_number INTEGER NOT NULL CONSTRAINT ck_canvas_placements_from_number_least CHECK ("from_number" >= 1),
    until_number INTEGER DEFAULT 2147483647 NOT NULL CONSTRAINT ck_canvas_placements_until_number_least CHECK ("until_number" >= 2),
    component_id UUID NOT NULL,
    CONSTRAINT pk_canvas_placements PRIMARY KEY (tenant_id, canvas_id, component_key, from_number),
    CONSTRAINT ck_canvas_placements_ends_after_it_begins CHECK (from_number < until_number),
    CONSTRAINT fk_canvas_placements_tenant_id_canvas_id FOREIGN KEY(tenant_id, canvas_id) REFERENCES canvases (tenant_id, id),
    CONSTRAINT fk_canvas_placements_tenant_id_component_id FOREIGN KEY(tenant_id, component_id) REFERENCES canvas_components (tenant_id, id)
);

CREATE INDEX ix_canvas_placements_of_revision ON canvas_placements (tenant_id, canvas_id, until_number, from_number, component_id);

CREATE INDEX ix_canvas_placements_tenant_id_component_id_canvas_id ON canvas_placements (tenant_id, component_id, canvas_id);

CREATE TABLE canvas_shares (
    tenant_id UUID NOT NULL,
    canvas_id UUID NOT NULL,
    user_id UUID NOT NULL,
    access TEXT NOT NULL CONSTRAINT ck_canvas_shares_access_known CHECK ("access" IN ('VIEW', 'COMMENT', 'EDIT')),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_canvas_shares PRIMARY KEY (tenant_id, canvas_id, user_id),
    CONSTRAINT fk_canvas_shares_tenant_id_canvas_id FOREIGN KEY(tenant_id, canvas_id) REFERENCES canvases (tenant_id, id),
    CONSTRAINT fk_canvas_shares_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_canvas_shares_tenant_id_user_id_canvas_id ON canvas_shares (tenant_id, user_id, canvas_id);

CREATE TABLE merge_requests (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    target_id UUID NOT NULL,
    title TEXT NOT NULL CONSTRAINT ck_merge_requests_title_length CHECK (char_length("title") BETWEEN 1 AND 200),
    author_noun TEXT CONSTRAINT ck_merge_requests_author_noun_name CHECK (author_noun ~ '^[a-z_]{1,40}$'),
    author_id UUID,
    status TEXT NOT NULL CONSTRAINT ck_merge_requests_status_known CHECK ("status" IN ('OPEN', 'APPROVED', 'REJECTED', 'MERGED', 'CLOSED')),
    base_id UUID NOT NULL,
    source_head_id UUID NOT NULL,
    target_head_id UUID NOT NULL,
    conflicts JSON DEFAULT '[]'::json NOT NULL,
    resolutions JSON DEFAULT '[]'::json NOT NULL,
    merged_revision_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_merge_requests PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_merge_requests_author_whole CHECK ((author_noun IS NULL) = (author_id IS NULL)),
    CONSTRAINT ck_merge_requests_between_two CHECK (source_id <> target_id),
    CONSTRAINT ck_merge_requests_revision_if_merged CHECK ((status = 'MERGED') = (merged_revision_id IS NOT NULL)),
    CONSTRAINT fk_merge_requests_tenant_id_source_id FOREIGN KEY(tenant_id, source_id) REFERENCES canvases (tenant_id, id),
    CONSTRAINT fk_merge_requests_tenant_id_target_id FOREIGN KEY(tenant_id, target_id) REFERENCES canvases (tenant_id, id),
    CONSTRAINT fk_merge_requests_tenant_id_base_id FOREIGN KEY(tenant_id, base_id) REFERENCES canvas_revisions (tenant_id, id),
    CONSTRAINT fk_merge_requests_tenant_id_source_head_id FOREIGN KEY(tenant_id, source_head_id) REFERENCES canvas_revisions (tenant_id, id),
    CONSTRAINT fk_merge_requests_tenant_id_target_head_id FOREIGN KEY(tenant_id, target_head_id) REFERENCES canvas_revisions (tenant_id, id),
    CONSTRAINT fk_merge_requests_tenant_id_merged_revision_id FOREIGN KEY(tenant_id, merged_revision_id) REFERENCES canvas_revisions (tenant_id, id)
);

CREATE INDEX ix_merge_requests_tenant_id_base_id ON merge_requests (tenant_id, base_id);

CREATE INDEX ix_merge_requests_tenant_id_created_at_id ON merge_requests (tenant_id, created_at, id);

CREATE INDEX ix_merge_requests_tenant_id_source_id_created_at_id ON merge_requests (tenant_id, source_id, created_at, id);

CREATE INDEX ix_merge_requests_tenant_id_target_id_created_at_id ON merge_requests (tenant_id, target_id, created_at, id);

CREATE UNIQUE INDEX uq_merge_requests_open ON merge_requests (tenant_id, source_id, target_id) WHERE status IN ('OPEN', 'APPROVED');

CREATE TABLE merge_request_reviews (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    merge_request_id UUID NOT NULL,
    decision TEXT NOT NULL CONSTRAINT ck_merge_request_reviews_decision_known CHECK ("decision" IN ('APPROVE', 'REQUEST_CHANGES', 'REJECT')),
    comment TEXT CONSTRAINT ck_merge_request_reviews_comment_length CHECK (char_length("comment") BETWEEN 0 AND 10000),
    author_noun TEXT CONSTRAINT ck_merge_request_reviews_author_noun_name CHECK (author_noun ~ '^[a-z_]{1,40}$'),
    author_id UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    source_head_id UUID NOT NULL,
    CONSTRAINT pk_merge_request_reviews PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_merge_request_reviews_author_whole CHECK ((author_noun IS NULL) = (author_id IS NULL)),
    CONSTRAINT fk_merge_request_reviews_tenant_id_merge_request_id FOREIGN KEY(tenant_id, merge_request_id) REFERENCES merge_requests (tenant_id, id),
    CONSTRAINT fk_merge_request_reviews_tenant_id_source_head_id FOREIGN KEY(tenant_id, source_head_id) REFERENCES canvas_revisions (tenant_id, id)
);

CREATE INDEX ix_merge_request_reviews_tenant_id_merge_request_id_at_id ON merge_request_reviews (tenant_id, merge_request_id, at, id);

ALTER TABLE canvases ADD CONSTRAINT fk_canvases_tenant_id_head_id FOREIGN KEY(tenant_id, head_id) REFERENCES canvas_revisions (tenant_id, id) DEFERRABLE INITIALLY DEFERRED;
