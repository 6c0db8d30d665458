-- The tables of an application that makes, enriches and keeps conversations, as far as trainfold
-- meets them. Run as the application's owner. It has pitfalls on purpose: batch items refer to the
-- key of a conversation's row, words stand in the snapshot alone, and tables have trainfold's names.
create table public.conversations (
  id                   uuid primary key default gen_random_uuid(),
  conversation_id      uuid not null unique,
  persona_key          varchar(100),
  emotional_arc_key    varchar(100),
  topic_key            varchar(100),
  conversation_name    varchar(255),
  turn_count           integer not null,
  tier                 varchar(50) default 'template',
  quality_score        numeric(3,1) check (quality_score between 0 and 10),
  status               varchar(50) default 'pending_review',
  processing_status    varchar(50) default 'completed',
  created_by           uuid,
  created_at           timestamptz default now(),
  scaffolding_snapshot jsonb,
  enrichment_status    varchar(50) default 'not_started',
  enriched_file_path   text
);
create table public.batch_jobs (
  id          uuid primary key default gen_random_uuid(),
  job_type    text not null,
  name        text,
  status      varchar(20) not null,
  created_by  uuid,
  created_at  timestamptz default now()
);
create table public.batch_items (
  id              uuid primary key default gen_random_uuid(),
  batch_job_id    uuid not null references public.batch_jobs (id) on delete cascade,
  position        integer not null,
  topic           text not null,
  tier            text not null,
  status          text not null default 'queued',
  conversation_id uuid references public.conversations (id) on delete set null,
  created_at      timestamptz not null default now()
);
create table public.training_files (
  id                 uuid primary key default gen_random_uuid(),
  name               text not null unique,
  json_file_path     text not null,
  jsonl_file_path    text not null,
  conversation_count integer not null default 0,
  status             text not null default 'active',
  created_at         timestamptz not null default now()
);
create table public.training_file_conversations (
  id               uuid primary key default gen_random_uuid(),
  training_file_id uuid not null references public.training_files (id) on delete cascade,
  conversation_id  uuid not null,
  added_at         timestamptz not null default now(),
  unique (training_file_id, conversation_id)
);
alter table public.conversations enable row level security;
alter table public.batch_jobs enable row level security;
alter table public.batch_items enable row level security;
alter table public.training_files enable row level security;
alter table public.training_file_conversations enable row level security;
create policy items_of_all on public.batch_items using (true);
create policy files_of_all on public.training_files for select using (true);
