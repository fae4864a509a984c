-- truth: safe: the zone is applied once to a stable value
-- base: rails

ALTER TABLE "articles" ADD COLUMN "indexed_at" timestamp(6) DEFAULT timezone('utc', now()) NOT NULL;
