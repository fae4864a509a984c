-- truth: safe: a unique index of a quoted table
-- base: prisma
-- sending: one-query

-- CreateIndex
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "User_name_key" ON "User" ("name") WHERE "name" IS NOT NULL;
