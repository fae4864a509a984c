-- truth: safe: quoted names, one-by-one, concurrent index
-- base: prisma

ALTER TABLE "User" ADD "lastLoginAt" TIMESTAMP WITH TIME ZONE;
ALTER TABLE "User" ADD "tier" character varying(20) NOT NULL DEFAULT 'free';
CREATE INDEX CONCURRENTLY "IDX_9c1d2b" ON "User" ("lastLoginAt");
