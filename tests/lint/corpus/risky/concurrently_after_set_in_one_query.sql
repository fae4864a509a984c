-- truth: risky: two statements in one query are a transaction
-- base: prisma
-- sending: one-query
-- at: CREATE INDEX
-- proves: fails 25001

SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY "Post_authorId_idx" ON "Post"("authorId");
