-- The source tables that it made there, where no application had them.

CREATE TABLE conversations (
    conversation_id uuid PRIMARY KEY,
    enrichment_status text NOT NULL DEFAULT 'not_started' CHECK (enrichment_status IN (
        'not_started', 'validation_failed', 'validated', 'enrichment_in_progress',
        'enriched', 'normalization_failed', 'completed')),
    enriched_file_path text,
    persona_key text,
    emotional_arc_key text,
    topic_key text,
    scaffolding_snapshot jsonb,
    quality_score numeric,
    tier text,
    status text,
    created_by text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_conversations_created_at ON conversations (created_at, conversation_id);
CREATE INDEX ix_conversations_quality_score
    ON conversations (quality_score, conversation_id);
CREATE INDEX ix_conversations_enrichment_status
    ON conversations (enrichment_status, conversation_id);
CREATE INDEX ix_conversations_words
    ON conversations (persona_key, emotional_arc_key, topic_key);
CREATE INDEX ix_conversations_persona_key ON conversations (persona_key, conversation_id);
CREATE INDEX ix_conversations_emotional_arc_key
    ON conversations (emotional_arc_key, conversation_id);
CREATE INDEX ix_conversations_topic_key ON conversations (topic_key, conversation_id);
CREATE INDEX ix_conversations_tier ON conversations (tier, conversation_id);
CREATE INDEX ix_conversations_title
    ON conversations ((scaffolding_snapshot #>> '{training_topic,name}'), conversation_id);
CREATE INDEX ix_conversations_person
    ON conversations ((scaffolding_snapshot #>> '{persona,name}'));

CREATE TABLE batch_jobs (
    id uuid PRIMARY KEY,
    name text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE batch_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_job_id uuid NOT NULL REFERENCES batch_jobs (id),
    conversation_id uuid REFERENCES conversations (conversation_id),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX uq_batch_items_batch_job_id_conversation_id
    ON batch_items (batch_job_id, conversation_id);
CREATE INDEX ix_batch_items_conversation_id ON batch_items (conversation_id, batch_job_id);

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_items ENABLE ROW LEVEL SECURITY;
