-- truth: safe: a new column without values has nothing to check
-- base: django
-- sending: transaction

--
-- Add field author to comment
--
ALTER TABLE "blog_comment" ADD COLUMN "author_id" integer NULL CONSTRAINT "blog_comment_author_id_4f11e2e0_fk_auth_user_id" REFERENCES "auth_user"("id") DEFERRABLE INITIALLY DEFERRED; SET CONSTRAINTS "blog_comment_author_id_4f11e2e0_fk_auth_user_id" IMMEDIATE;
