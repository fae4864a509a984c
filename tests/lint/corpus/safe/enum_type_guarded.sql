-- truth: safe: the usual guard around CREATE TYPE and CREATE ROLE
-- base: shop

DO $$ BEGIN
  CREATE TYPE delivery_state AS ENUM ('open', 'sent', 'lost');
EXCEPTION
  WHEN duplicate_object THEN NULL;
END $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'corpus_app') THEN
    CREATE ROLE corpus_app LOGIN;
  END IF;
END $$;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS delivery delivery_state NOT NULL DEFAULT 'open';
