-- truth: risky: db_index=True makes two indexes while nobody writes
-- base: django
-- sending: transaction
-- at: CREATE INDEX "blog_post_title_18f2dd8d"
-- proves: scan public.blog_post

--
-- Alter field title on post
--
CREATE INDEX "blog_post_title_18f2dd8d" ON "blog_post" ("title");
CREATE INDEX "blog_post_title_18f2dd8d_like" ON "blog_post" ("title" varchar_pattern_ops);
