-- truth: safe: added by the migration before, validated alone here
-- base: rails
-- sending: transaction

-- history
ALTER TABLE articles ADD CONSTRAINT articles_views_positive CHECK (views >= 0) NOT VALID;

-- migration
ALTER TABLE articles VALIDATE CONSTRAINT articles_views_positive;
