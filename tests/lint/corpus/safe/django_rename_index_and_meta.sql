-- truth: safe: only names and comments
-- base: django
-- sending: transaction

--
-- Rename index blog_post_slug_b95473f2 on post to post_slug_idx
--
ALTER INDEX "blog_post_slug_b95473f2" RENAME TO "post_slug_idx";
COMMENT ON TABLE "blog_post" IS 'Posts';
