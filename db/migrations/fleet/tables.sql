-- Machines, what they said, what serves slots, and the modes. Each statement ends in a semicolon and a blank line.

CREATE TABLE hosts (
    id UUID NOT NULL,
    machine TEXT NOT NULL CONSTRAINT ck_hosts_machine_length CHECK (char_length("machine") BETWEEN 1 AND 200),
    hostname TEXT NOT NULL CONSTRAINT ck_hosts_hostname_length CHECK (char_length("hostname") BETWEEN 1 AND 255),
    reporter UUID NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source TEXT NOT NULL CONSTRAINT ck_hosts_source_known CHECK ("source" IN ('NVML', 'SIMULATED', 'NONE')),
    driver TEXT CONSTRAINT ck_hosts_driver_length CHECK (char_length("driver") BETWEEN 0 AND 100),
    problem TEXT CONSTRAINT ck_hosts_problem_length CHECK (char_length("problem") BETWEEN 0 AND 2000),
    sampled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_hosts PRIMARY KEY (id),
    CONSTRAINT uq_hosts_machine UNIQUE (machine)
);

CREATE TABLE gpus (
    id UUID NOT NULL,
    host_id UUID NOT NULL,
    uuid TEXT NOT NULL CONSTRAINT ck_gpus_uuid_length CHECK (char_length("uuid") BETWEEN 1 AND 100),
    name TEXT NOT NULL CONSTRAINT ck_gpus_name_length CHECK (char_length("name") BETWEEN 1 AND 100),
    pci TEXT CONSTRAINT ck_gpus_pci_length CHECK (char_length("pci") BETWEEN 0 AND 40),
    position INTEGER NOT NULL CONSTRAINT ck_gpus_position_least CHECK ("position" >= 0),
    source TEXT NOT NULL CONSTRAINT ck_gpus_source_known CHECK ("source" IN ('NVML', 'SIMULATED', 'NONE')),
    sampled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    temperature_c DOUBLE PRECISION CONSTRAINT ck_gpus_temperature_c_finite CHECK ('-Infinity'::double precision < "temperature_c" AND "temperature_c" < 'Infinity'::double precision),
    power_watts DOUBLE PRECISION CONSTRAINT ck_gpus_power_watts_finite CHECK (0 <= "power_watts" AND "power_watts" < 'Infinity'::double precision),
    utilization DOUBLE PRECISION CONSTRAINT ck_gpus_utilization_finite CHECK (0 <= "utilization" AND "utilization" <= 100),
    memory_used_mib INTEGER CONSTRAINT ck_gpus_memory_used_mib_least CHECK ("memory_used_mib" >= 0),
    memory_total_mib INTEGER CONSTRAINT ck_gpus_memory_total_mib_least CHECK ("memory_total_mib" >= 0),
    throttle_reasons TEXT[] NOT NULL,
    ecc_uncorrected BIGINT CONSTRAINT ck_gpus_ecc_uncorrected_least CHECK (ecc_uncorrected >= 0),
    recovery TEXT CONSTRAINT ck_gpus_recovery_known CHECK ("recovery" IN ('NONE', 'GPU_RESET', 'NODE_REBOOT', 'DRAIN_P2P', 'DRAIN_AND_RESET', 'RECOVER_IMEX_DOMAIN', 'BUS_RESET', 'SYSTEM_REBOOT')),
    processes JSON NOT NULL,
    CONSTRAINT pk_gpus PRIMARY KEY (id),
    CONSTRAINT uq_gpus_host_id_uuid UNIQUE (host_id, uuid),
    CONSTRAINT fk_gpus_host_id FOREIGN KEY(host_id) REFERENCES hosts (id) ON DELETE CASCADE
);

CREATE TABLE gpu_samples (
    gpu_id UUID NOT NULL,
    minute TIMESTAMP WITH TIME ZONE NOT NULL,
    source TEXT NOT NULL CONSTRAINT ck_gpu_samples_source_known CHECK ("source" IN ('NVML', 'SIMULATED', 'NONE')),
    sample_count INTEGER NOT NULL CONSTRAINT ck_gpu_samples_sample_count_least CHECK ("sample_count" >= 1),
    temperature_c DOUBLE PRECISION CONSTRAINT ck_gpu_samples_temperature_c_finite CHECK ('-Infinity'::double precision < "temperature_c" AND "temperature_c" < 'Infinity'::double precision),
    temperature_c_max DOUBLE PRECISION CONSTRAINT ck_gpu_samples_temperature_c_max_finite CHECK ('-Infinity'::double precision < "temperature_c_max" AND "temperature_c_max" < 'Infinity'::double precision),
    power_watts DOUBLE PRECISION CONSTRAINT ck_gpu_samples_power_watts_finite CHECK (0 <= "power_watts" AND "power_watts" < 'Infinity'::double precision),
    utilization DOUBLE PRECISION CONSTRAINT ck_gpu_samples_utilization_finite CHECK (0 <= "utilization" AND "utilization" <= 100),
    memory_used_mib DOUBLE PRECISION CONSTRAINT ck_gpu_samples_memory_used_mib_finite CHECK (0 <= "memory_used_mib" AND "memory_used_mib" < 'Infinity'::double precision),
    memory_used_mib_max INTEGER CONSTRAINT ck_gpu_samples_memory_used_mib_max_least CHECK ("memory_used_mib_max" >= 0),
    CONSTRAINT pk_gpu_samples PRIMARY KEY (gpu_id, minute, source),
    CONSTRAINT fk_gpu_samples_gpu_id FOREIGN KEY(gpu_id) REFERENCES gpus (id) ON DELETE CASCADE
);

CREATE INDEX ix_gpu_samples_minute ON gpu_samples (minute);

CREATE TABLE gpu_xids (
    id UUID NOT NULL,
    host_id UUID NOT NULL,
    pci TEXT NOT NULL CONSTRAINT ck_gpu_xids_pci_length CHECK (char_length("pci") BETWEEN 1 AND 40),
    code INTEGER NOT NULL CONSTRAINT ck_gpu_xids_code_least CHECK ("code" >= 0),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    source TEXT NOT NULL CONSTRAINT ck_gpu_xids_source_known CHECK ("source" IN ('NVML', 'SIMULATED', 'NONE')),
    entry TEXT NOT NULL CONSTRAINT ck_gpu_xids_entry_length CHECK (char_length("entry") BETWEEN 1 AND 300),
    CONSTRAINT pk_gpu_xids PRIMARY KEY (id),
    CONSTRAINT uq_gpu_xids_host_id_entry UNIQUE (host_id, entry),
    CONSTRAINT fk_gpu_xids_host_id FOREIGN KEY(host_id) REFERENCES hosts (id) ON DELETE CASCADE
);

CREATE INDEX ix_gpu_xids_host_id_pci_at ON gpu_xids (host_id, pci, at);

CREATE TABLE fleet_workers (
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_fleet_workers_kind_known CHECK ("kind" IN ('LLM', 'COMFYUI')),
    name TEXT NOT NULL CONSTRAINT ck_fleet_workers_name_length CHECK (char_length("name") BETWEEN 1 AND 200),
    url TEXT NOT NULL CONSTRAINT ck_fleet_workers_url_length CHECK (char_length("url") BETWEEN 1 AND 2000),
    runtime TEXT NOT NULL CONSTRAINT ck_fleet_workers_runtime_known CHECK ("runtime" IN ('COMFYUI', 'OLLAMA', 'LLAMACPP', 'KEEPS')),
    on_premise BOOLEAN DEFAULT false NOT NULL,
    gpu TEXT CONSTRAINT ck_fleet_workers_gpu_length CHECK (char_length("gpu") BETWEEN 0 AND 100),
    answers BOOLEAN DEFAULT true NOT NULL,
    queue_depth INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_fleet_workers_queue_depth_least CHECK ("queue_depth" >= 0),
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_fleet_workers PRIMARY KEY (id),
    CONSTRAINT uq_fleet_workers_kind_name UNIQUE (kind, name)
);

CREATE TABLE fleet_modes (
    id UUID NOT NULL,
    mode TEXT NOT NULL CONSTRAINT ck_fleet_modes_mode_known CHECK ("mode" IN ('LLM_FIRST', 'MEDIA_FIRST', 'SPLIT')),
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    set_by_noun TEXT CONSTRAINT ck_fleet_modes_set_by_noun_name CHECK (set_by_noun ~ '^[a-z_]{1,40}$'),
    set_by_id UUID,
    CONSTRAINT pk_fleet_modes PRIMARY KEY (id),
    CONSTRAINT ck_fleet_modes_set_by_whole CHECK ((set_by_noun IS NULL) = (set_by_id IS NULL))
);

CREATE INDEX ix_fleet_modes_since_id ON fleet_modes (since, id);

CREATE TABLE fleet_releases (
    mode_id UUID NOT NULL,
    worker_id UUID NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_mib INTEGER CONSTRAINT ck_fleet_releases_used_mib_least CHECK ("used_mib" >= 0),
    refusal TEXT CONSTRAINT ck_fleet_releases_refusal_length CHECK (char_length("refusal") BETWEEN 1 AND 1000),
    confirmed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_fleet_releases PRIMARY KEY (mode_id, worker_id),
    CONSTRAINT fk_fleet_releases_mode_id FOREIGN KEY(mode_id) REFERENCES fleet_modes (id) ON DELETE CASCADE,
    CONSTRAINT fk_fleet_releases_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id) ON DELETE CASCADE
);

-- Until somebody sets one: what stands on a GPU serves.
INSERT INTO fleet_modes (id, mode, since) VALUES (gen_random_uuid(), 'SPLIT', now())
