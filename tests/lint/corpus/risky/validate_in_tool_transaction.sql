-- truth: risky: the tool wraps the file, and so both steps are one transaction
-- base: rails
-- sending: transaction
-- at: VALIDATE
-- proves: scan public.articles

ALTER TABLE "articles" ADD CONSTRAINT articles_user_id_null CHECK (user_id IS NOT NULL) NOT VALID;
ALTER TABLE "articles" VALIDATE CONSTRAINT articles_user_id_null;
